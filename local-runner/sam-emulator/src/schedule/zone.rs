//! From a wall-clock time to an instant, with the daylight-saving rule of EventBridge Scheduler.

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::{AmbiguousOffset, TimeZone};

/// The instant at which the clocks of `zone` show `wall`.
///
/// A time inside the spring gap is shown by no clock, so that run is skipped (`None`); a time inside
/// the autumn overlap is shown twice and the run happens once, at the first of the two
/// (AWS re:Post, "EventBridge Scheduler and daylight saving time").
pub(super) fn instant(wall: DateTime, zone: &TimeZone) -> Option<Timestamp> {
    let offset = match zone.to_ambiguous_timestamp(wall).offset() {
        AmbiguousOffset::Unambiguous { offset } => offset,
        AmbiguousOffset::Gap { .. } => return None,
        AmbiguousOffset::Fold { before, .. } => before,
    };
    offset.to_timestamp(wall).ok()
}
