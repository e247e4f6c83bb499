//! Wall time → instant, with the daylight-saving rule of EventBridge Scheduler.

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::{AmbiguousOffset, TimeZone};

/// The instant of the wall time `wall_time` in `zone`.
///
/// A wall time in the gap of spring does not exist, so its run is skipped (`None`). A wall time in the
/// overlap of autumn occurs twice, and its run happens once, at the first (AWS re:Post, "EventBridge
/// Scheduler and daylight saving time").
pub(super) fn instant(wall_time: DateTime, zone: &TimeZone) -> Option<Timestamp> {
    let offset = match zone.to_ambiguous_timestamp(wall_time).offset() {
        AmbiguousOffset::Unambiguous { offset } => offset,
        AmbiguousOffset::Gap { .. } => return None,
        AmbiguousOffset::Fold { before, .. } => before,
    };
    offset.to_timestamp(wall_time).ok()
}
