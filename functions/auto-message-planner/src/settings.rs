//! The planner's settings: time zone, which users are active, texts, and the time window for sending.

use std::time::Duration;

use jiff::tz::TimeZone;
use shared::config::Env;
use shared::error::Error;
use shared::id::Entropy;
use shared::lambda::{Component, Fatal};
use shared::message::Content;
use shared::time::Time;

/// The default texts.
const TEXTS: [&str; 12] = [
    "Merhaba! Bugün nasılsın?",
    "Günaydın, umarım güzel bir gün geçirirsin.",
    "Uzun zamandır konuşmadık, neler yapıyorsun?",
    "Bu hafta için planların neler?",
    "Sana güzel bir gün dilemek istedim.",
    "Son zamanlarda okuduğun iyi bir kitap var mı?",
    "Hello! How are you today?",
    "Good morning, I hope your day goes well.",
    "It has been a while. What have you been up to?",
    "Any plans for the week?",
    "What is the best thing you have seen lately?",
    "Just saying hi. Have a good one!",
];

/// The settings of the planner.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The time zone that decides the day.
    pub timezone: TimeZone,
    /// A user seen within this time before the run is active.
    pub active_for: Duration,
    /// Messages are sent at random moments within this time after planning.
    pub window: Duration,
    /// The content of each message is one of these, chosen at random.
    pub texts: Vec<String>,
}

impl Settings {
    /// From `PLANNER_TIMEZONE`, `ACTIVE_DAYS`, `SEND_WINDOW_MINUTES` and `AUTO_MESSAGE_TEXTS`.
    pub fn from_env(env: &mut Env) -> Self {
        let name = env.optional("PLANNER_TIMEZONE").unwrap_or_else(|| "Europe/Istanbul".to_owned());
        let timezone = TimeZone::get(&name).unwrap_or_else(|_| {
            env.problem(format!(
                "PLANNER_TIMEZONE must be an IANA time zone such as Europe/Istanbul, not {name:?}"
            ));
            TimeZone::UTC
        });
        let days: u64 = env.parsed("ACTIVE_DAYS", 30);
        let minutes: u64 = env.parsed("SEND_WINDOW_MINUTES", 24 * 60);
        if minutes == 0 || days == 0 {
            env.problem(format!(
                "ACTIVE_DAYS and SEND_WINDOW_MINUTES must be at least 1, not {days} and {minutes}"
            ));
        }
        Self {
            timezone,
            active_for: Duration::from_secs(days * 24 * 3_600),
            window: Duration::from_secs(minutes.max(1) * 60),
            texts: texts(env),
        }
    }

    /// The day that contains `now`, as `YYYY-MM-DD`.
    pub(crate) fn day(&self, now: Time) -> Result<String, Error> {
        let stamp =
            jiff::Timestamp::from_millisecond(now.millis()).map_err(|e| Error::Internal(Box::new(e)))?;
        Ok(stamp.to_zoned(self.timezone.clone()).date().to_string())
    }

    /// A random text.
    pub(crate) fn content(&self, entropy: &Entropy) -> &str {
        let index = entropy.bits() % self.texts.len().max(1) as u128;
        usize::try_from(index).ok().and_then(|index| self.texts.get(index)).map_or(TEXTS[0], String::as_str)
    }

    /// A uniformly random moment within the window after `now`.
    pub(crate) fn send_date(&self, now: Time, entropy: &Entropy) -> Time {
        let offset = entropy.bits() % self.window.as_millis().max(1);
        now + Duration::from_millis(u64::try_from(offset).unwrap_or(0) + 1)
    }
}

impl Component for Settings {
    type Config = Self;

    fn read(env: &mut Env) -> Self {
        Self::from_env(env)
    }

    async fn connect(config: Self) -> Result<Self, Fatal> {
        Ok(config)
    }
}

fn texts(env: &mut Env) -> Vec<String> {
    let Some(list) = env.optional("AUTO_MESSAGE_TEXTS") else { return TEXTS.map(str::to_owned).to_vec() };
    let mut texts = Vec::new();
    for (index, text) in list.split('|').enumerate() {
        match Content::parse(text) {
            Ok(content) => texts.push(content.as_str().to_owned()),
            Err(error) => env.problem(format!("AUTO_MESSAGE_TEXTS: text {} {error}", index + 1)),
        }
    }
    texts
}

#[cfg(test)]
mod tests {
    use shared::config::Env;
    use shared::time::Time;

    use super::Settings;

    #[test]
    fn day_is_the_local_date_in_the_planners_time_zone() {
        let settings = Settings::from_env(&mut Env::of([]));
        let at = |text| Time::parse(text).unwrap();
        assert_eq!(settings.day(at("2026-12-01T23:00:00Z")).unwrap(), "2026-12-02");
        assert_eq!(settings.day(at("2026-12-01T20:59:59Z")).unwrap(), "2026-12-01");
    }
}
