//! The `process_*` metrics that every Prometheus client has, from `/proc/self`
//! (<https://man7.org/linux/man-pages/man5/proc.5.html>). What cannot be read is left out.

use std::fmt;
use std::fs;

use prometheus_client::collector::Collector;
use prometheus_client::encoding::DescriptorEncoder;
use prometheus_client::registry::Unit;

use super::Page;

/// The kernel's unit of time in `/proc`: `USER_HZ`, which is 100 on every architecture that this
/// program is built for, whatever the kernel's own clock does.
const TICKS_PER_SECOND: f64 = 100.0;

/// The metrics of this process. Reading them is a few microseconds of system calls on files that
/// are no disk's, so it may be done anywhere.
#[derive(Debug)]
pub(super) struct Process;

impl Collector for Process {
    fn encode(&self, encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let mut page = Page(encoder);
        let read = |path: &str| fs::read_to_string(path).unwrap_or_default();
        let (stat, status) = (read("/proc/self/stat"), read("/proc/self/status"));
        times(&mut page, &stat, &read("/proc/stat"))?;
        let memory = [
            ("process_resident_memory", "VmRSS", "Resident memory."),
            ("process_virtual_memory", "VmSize", "Virtual memory."),
        ];
        for (name, key, help) in memory {
            if let Some(kibibytes) = field(&status, key) {
                page.gauge_in(name, help, &Unit::Bytes, kibibytes * 1024.0)?;
            }
        }
        if let Some(threads) = field(&status, "Threads") {
            page.gauge("process_threads", "Threads.", &threads)?;
        }
        if let Ok(open) = fs::read_dir("/proc/self/fd") {
            // One of them is the directory itself.
            let open = open.count().saturating_sub(1);
            page.gauge("process_open_fds", "Open file descriptors.", &open)?;
        }
        if let Some(most) = most_files(&read("/proc/self/limits")) {
            page.gauge("process_max_fds", "How many may be open at once.", &most)?;
        }
        Ok(())
    }
}

/// Time used, and when the process started.
fn times(page: &mut Page<'_>, own: &str, system: &str) -> fmt::Result {
    // The second field is the program's name in brackets, whatever that is made of.
    let fields: Vec<f64> = own
        .rsplit_once(')')
        .map(|(_, rest)| rest.split_whitespace())
        .into_iter()
        .flatten()
        .map(|field| field.parse().unwrap_or_default())
        .collect();
    // The first field here is the third of proc(5): state.
    let ticks = |number: usize| fields.get(number - 3).map(|field| field / TICKS_PER_SECOND);
    if let (Some(user), Some(kernel)) = (ticks(14), ticks(15)) {
        let help = "Processor time used, in user mode and in the kernel.";
        page.counter_in("process_cpu", help, &Unit::Seconds, user + kernel)?;
    }
    let booted = system
        .lines()
        .find_map(|line| line.strip_prefix("btime ")?.trim().parse::<f64>().ok());
    if let (Some(booted), Some(after)) = (booted, ticks(22)) {
        let help = "When the process started.";
        page.gauge_in("process_start_time", help, &Unit::Seconds, booted + after)?;
    }
    Ok(())
}

/// The number of the line `key:` in `/proc/self/status`.
fn field(status: &str, key: &str) -> Option<f64> {
    let value = status
        .lines()
        .find_map(|line| line.strip_prefix(key)?.strip_prefix(':'))?;
    value.split_whitespace().next()?.parse().ok()
}

/// The soft limit of open files; `None` where there is none.
fn most_files(limits: &str) -> Option<f64> {
    let line = limits
        .lines()
        .find_map(|line| line.strip_prefix("Max open files"))?;
    line.split_whitespace().next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use prometheus_client::encoding::text;
    use prometheus_client::registry::Registry;

    use super::*;

    fn page() -> String {
        let mut registry = Registry::default();
        registry.register_collector(Box::new(Process));
        let mut page = String::new();
        text::encode(&mut page, &registry).unwrap();
        page
    }

    fn value(page: &str, name: &str) -> f64 {
        let line = page
            .lines()
            .find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
        line.unwrap_or_else(|| panic!("{name} in {page}"))
            .parse()
            .unwrap()
    }

    #[test]
    fn this_process_is_seen_as_it_is() {
        let ballast = vec![1_u8; 64 << 20];
        let (before, files) = (
            page(),
            [0; 100].map(|_| fs::File::open("/dev/null").unwrap()),
        );
        let after = page();
        let resident = value(&after, "process_resident_memory_bytes");
        assert!((64e6..2e9).contains(&resident), "{resident}");
        assert!(value(&after, "process_virtual_memory_bytes") >= resident);
        let more = value(&after, "process_open_fds") - value(&before, "process_open_fds");
        // Other tests of this process open and close files too.
        assert!((50.0..1000.0).contains(&more), "{more}");
        assert!(value(&after, "process_max_fds") >= value(&after, "process_open_fds"));
        assert!(value(&after, "process_threads") >= 1.0);
        drop((ballast, files));
    }

    #[test]
    fn processor_time_grows_and_the_start_is_a_date_in_the_past() {
        let seconds = || value(&page(), "process_cpu_seconds_total");
        let before = seconds();
        let mut sum = 0_u64;
        while seconds() <= before {
            sum = (0..1_000_000).fold(sum, u64::wrapping_add);
        }
        let start = value(&page(), "process_start_time_seconds");
        let now = jiff::Timestamp::now().as_duration().as_secs_f64();
        assert!(
            (now - 86_400.0..=now + 2.0).contains(&start),
            "{start} {now} {sum}"
        );
    }

    #[test]
    fn a_program_with_brackets_in_its_name_and_a_system_without_limits_are_read() {
        let mut text = String::new();
        let mut registry = Registry::default();
        registry.register_collector(Box::new(Fixed));
        text::encode(&mut text, &registry).unwrap();
        assert_eq!(value(&text, "process_cpu_seconds_total").to_string(), "3.5");
        assert_eq!(
            value(&text, "process_start_time_seconds").to_string(),
            "1012"
        );
        assert_eq!(
            most_files("Max open files            unlimited  unlimited  files"),
            None
        );
        assert_eq!(
            field("Name:\tx\nVmRSSX:\t1 kB\nVmRSS:\t  12 kB\n", "VmRSS"),
            Some(12.0)
        );
        assert_eq!(field("", "VmRSS"), None);
    }

    #[derive(Debug)]
    struct Fixed;

    impl Collector for Fixed {
        fn encode(&self, encoder: DescriptorEncoder<'_>) -> fmt::Result {
            let own = "7 (a) b) c) S 1 2 3 4 5 6 7 8 9 10 200 150 0 0 20 0 1 0 1200 4096";
            times(
                &mut Page(encoder),
                own,
                "cpu 1 2\nbtime 1000\nprocesses 3\n",
            )
        }
    }
}
