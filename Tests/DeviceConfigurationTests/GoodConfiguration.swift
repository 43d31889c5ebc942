/// A configuration that uses every table and every kind of value.
let goodConfiguration = """
    # Press line 4.
    [runtime]
    name = "press-line-4"
    state_dir = "/var/lib/holdfast"
    runtime_dir = "/run/holdfast"
    workers_cgroup = "off"
    default_user = "root"
    control_group = "root"
    event_buffer = 2048
    incident_buffer = 64

    [output]
    journal = "off"
    directory = "/var/log/holdfast"
    rate = "128K"
    burst = "2M"
    max_file = "5M"
    files = 3
    pipe_size = "128K"

    [uplink]
    central = "https://10.0.0.1:7443"
    proxy = "http://proxy.example:3128"
    flush_interval = "2s"
    metrics_interval = "off"
    labels = { site = "north", "line.4" = "é" }

    [uplink.events]
    quota = "1M"
    when_full = "refuse"

    [uplink.readings]
    time_to_live = "7d"

    [[plugin]]
    name = "deploy"
    file = "/bin/true"
    sha256 = "E3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    kinds = ["bundle.deploy", "bundle.remove"]
    grants = ["bundle", "artifact"]
    memory_max = "64M"
    time_limit = "1h"
    parallel = 2

    [worker_defaults]
    restart = "on-failure"
    stop_signal = "SIGINT"
    stop_timeout = "3s"
    backoff_initial = "200ms"
    watchdog = "1m"

    [worker_defaults.limits]
    open_files = 4096
    core_size = "0"

    [[worker]]
    name = "before"
    command = ["/bin/true"]

    [[supervisor]]
    name = "vision"
    strategy = "rest-for-one"
    max_restarts = 5
    within = "30s"
    on_intensity_exceeded = "escalate"

    [[worker]]
    name = "camera"
    supervisor = "vision"
    command = ["/usr/bin/env", "python3", 'caméra "1".py']
    working_directory = "/tmp"
    environment = { LANG = "C.UTF-8", MODE = "a=b" }
    user = "root"
    group = "root"
    supplementary_groups = ["root"]
    umask = "0027"
    nice = 5
    oom_score_adj = -100
    essential = true
    autostart = false
    restart = "always"
    ready = "notify"
    start_after = "previous-ready"
    start_timeout = "1m30s"
    watchdog = "10s"
    watchdog_signal = "SIGKILL"
    checkpoints = { frame = "5s", upload = "2m" }
    backoff_initial = "50ms"
    backoff_max = "20s"
    backoff_jitter = 0.5
    stable_after = "15s"
    max_attempts = 7
    retry_after_giving_up = "never"
    stop_plan = [{ signal = "SIGINT", grace = "2s" }, { signal = "SIGTERM", grace = "1s" }]
    kill_timeout = "4s"

    [worker.limits]
    open_files = 1024
    address_space = "1G"
    cpu_time = "1h"
    locked_memory = "unlimited"

    [worker.output]
    rate = "16K"
    files = 1

    [[supervisor]]
    name = "inner"
    parent = "vision"
    retry_after = "never"

    [[worker]]
    name = "after"
    command = ["/bin/sh", "-c", "exit 0"]
    watchdog = "off"

    [[worker]]
    name = "deep"
    supervisor = "inner"
    command = ["/bin/true"]

    """
