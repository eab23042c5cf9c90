//! What a thread and this process have used, where the system tells.

use std::time::Duration;

/// Processor time of the calling thread.
#[cfg(unix)]
pub fn thread_time() -> Option<Duration> {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
    Duration::try_from(time).ok()
}

/// Processor time of the calling thread.
#[cfg(not(unix))]
pub fn thread_time() -> Option<Duration> {
    None
}

/// Bytes of memory of this process that are resident, all threads and the program itself included.
pub fn resident() -> Option<u64> {
    // Linux: the second field, in pages.
    let text = std::fs::read_to_string("/proc/self/statm").ok()?;
    let pages: u64 = text.split_whitespace().nth(1)?.parse().ok()?;
    Some(pages * page_size())
}

#[cfg(unix)]
fn page_size() -> u64 {
    rustix::param::page_size() as u64
}

#[cfg(not(unix))]
fn page_size() -> u64 {
    4096
}

/// Allows this process as many open files as it may have, and says how many that is.
#[cfg(unix)]
pub fn open_files() -> Option<u64> {
    use rustix::process::{Resource, getrlimit, setrlimit};
    let mut limit = getrlimit(Resource::Nofile);
    let before = limit.current;
    limit.current = limit.maximum;
    let raised = setrlimit(Resource::Nofile, limit).is_ok();
    if raised { limit.maximum } else { before }
}

/// Allows this process as many open files as it may have, and says how many that is.
#[cfg(not(unix))]
pub fn open_files() -> Option<u64> {
    None
}

#[cfg(test)]
mod tests {
    #[test]
    #[cfg(target_os = "linux")]
    fn work_takes_time_and_memory() {
        let time = super::thread_time().unwrap();
        // Other tests of this process take and give back memory meanwhile.
        let grown = (0..10).any(|_| {
            let before = super::resident().unwrap();
            let mut block = vec![1u8; 64 << 20];
            for byte in &mut block {
                *byte = byte.wrapping_mul(3);
            }
            let now = super::resident().unwrap();
            block[block.len() / 2] == 3 && now > before + (32 << 20)
        });
        assert!(grown);
        assert!(super::thread_time().unwrap() > time + std::time::Duration::from_millis(5));
        assert!(super::open_files().is_none_or(|n| n >= 64));
    }
}
