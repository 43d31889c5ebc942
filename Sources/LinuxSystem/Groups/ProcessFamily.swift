/// Who is whose child.
enum ProcessFamily {
    /// The direct children of a process, zombies included. Complete for our own: nobody but us takes a child off the
    /// list, and we do not while we read it (proc_pid_task_tid_children(5) warns of that). For others a child that ends
    /// meanwhile can hide a sibling, so whoever must reach all repeats.
    static func children(of pid: Int32) -> [Int32] {
        let tasks = "/proc/\(pid)/task"
        guard let threads = try? SystemCall.names(inDirectory: tasks) else { return [] }
        var children: [Int32] = []
        for thread in threads {
            do throws(SystemError) {
                children += try pids(listedIn: "\(tasks)/\(thread)/children")
            } catch {
                // A kernel without CONFIG_PROC_CHILDREN; or the thread has ended, which is rare enough.
                if error.isNotFound { return childrenByScan(of: pid) }
            }
        }
        return children
    }

    /// The direct children of the calling thread, zombies included: all of ours in a process of one thread, for the price
    /// of one small file. Complete, since nobody but us takes a child off the list.
    static func childrenOfThisThread() -> [Int32] {
        do throws(SystemError) {
            return try pids(listedIn: "/proc/thread-self/children")
        } catch {
            return error.isNotFound ? childrenByScan(of: SystemCall.processID()) : []
        }
    }

    private static func pids(listedIn path: String) throws(SystemError) -> [Int32] {
        let list = try SystemCall.readFile(path, limit: maximumListBytes)
        var pids: [Int32] = []
        var pid: Int32 = 0
        // By hand: with a thousand workers this list is read at every death.
        for byte in list {
            if byte == UInt8(ascii: " ") {
                pids.append(pid)
                pid = 0
            } else {
                pid = pid &* 10 &+ Int32(byte &- UInt8(ascii: "0"))
            }
        }
        return pids
    }

    /// All living descendants of a process, nearest first.
    static func descendants(of pid: Int32) -> [Int32] {
        var found: [Int32] = []
        var seen: Set<Int32> = [pid]
        var next = [pid]
        while let parent = next.popLast() {
            for child in children(of: parent) where seen.insert(child).inserted {
                found.append(child)
                next.append(child)
            }
        }
        return found
    }

    /// Whether one of the process's parents, up to `maximumDepth`, fulfils the condition.
    static func hasAncestor(_ pid: Int32, where condition: (Int32) -> Bool) -> Bool {
        var pid = pid
        for _ in 0..<maximumDepth {
            guard let parent = ProcessStatus(of: pid)?.parent, parent > 0 else { return false }
            if condition(parent) { return true }
            pid = parent
        }
        return false
    }

    /// Room for more than a hundred thousand children.
    private static let maximumListBytes = 1 << 20
    private static let maximumDepth = 64

    private static func childrenByScan(of pid: Int32) -> [Int32] {
        let names = (try? SystemCall.names(inDirectory: "/proc")) ?? []
        return names.compactMap { Int32($0) }.filter { ProcessStatus(of: $0)?.parent == pid }
    }
}
