//! Names that no other test uses.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// A name that no other test uses: lower-case letters and digits, beginning with a letter.
pub fn unique_name() -> String {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    static START: OnceLock<u64> = OnceLock::new();
    let start = START.get_or_init(|| {
        let since: Duration = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
        u64::from(std::process::id()) << 20 ^ u64::from(since.subsec_nanos())
    });
    format!("u{start:x}n{}", NEXT.fetch_add(1, Ordering::Relaxed))
}
