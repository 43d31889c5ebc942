import Testing

@testable import LinuxSystem

struct CgroupMountTests {
    private let mountinfo = """
        22 27 0:21 / /sys rw,nosuid shared:7 - sysfs sysfs rw
        30 22 0:26 / /sys/fs/cgroup/unified rw,relatime shared:9 master:2 - cgroup2 cgroup2 rw
        31 22 0:27 / /sys/fs/cgroup/memory rw,relatime - cgroup cgroup rw,memory
        40 22 0:26 /machine/box /run/a\\040b rw - cgroup2 none rw
        broken
        """

    @Test func findsTheMountsOfCgroup2Only() {
        #expect(
            CgroupMount.parse(mountinfo) == [
                CgroupMount(root: "/", point: "/sys/fs/cgroup/unified"),
                CgroupMount(root: "/machine/box", point: "/run/a b"),
            ])
    }

    @Test func translatesBetweenDirectoriesAndNames() {
        let whole = CgroupMount(root: "/", point: "/sys/fs/cgroup")
        #expect(whole.name(of: "/sys/fs/cgroup") == "/")
        #expect(whole.name(of: "/sys/fs/cgroup/a/b/") == "/a/b")
        #expect(whole.name(of: "/sys/fs/cgroup2") == nil)
        #expect(whole.path(of: "/a/b") == "/sys/fs/cgroup/a/b")
        #expect(whole.path(of: "/") == "/sys/fs/cgroup")
        let part = CgroupMount(root: "/machine/box", point: "/run/a b")
        #expect(part.name(of: "/run/a b/c") == "/machine/box/c")
        #expect(part.path(of: "/machine/box/c") == "/run/a b/c")
        #expect(part.path(of: "/machine/boxer") == nil)
    }
}
