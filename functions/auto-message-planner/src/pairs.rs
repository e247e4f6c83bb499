//! The shuffle: Fisher–Yates, every order equally likely over the seeds.

use rand::SeedableRng as _;
use rand::rngs::StdRng;
use rand::seq::SliceRandom as _;
use sha2::{Digest as _, Sha256};
use shared::id::UserId;

/// Shuffles by the day's own seed. Two planners that run at once then make the same pairs, whose rows meet
/// under one key, instead of giving one user two parts.
pub(crate) fn shuffle(users: &mut [UserId], day: &str) {
    let seed: [u8; 32] = Sha256::digest(format!("auto-message-planner {day}").as_bytes()).into();
    users.shuffle(&mut StdRng::from_seed(seed));
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use shared::id::UserId;

    use super::shuffle;

    /// Over many days each of the six orders of three users comes equally often: chi-square with five
    /// degrees of freedom, 20.5 is the bound that chance passes once in a thousand; the days are fixed.
    #[test]
    fn no_order_is_favoured() {
        let mut seen: HashMap<Vec<String>, f64> = HashMap::new();
        let days = 6_000;
        for day in 0..days {
            let mut users = ["a", "b", "c"].map(UserId::trusted);
            shuffle(&mut users, &format!("day {day}"));
            *seen.entry(users.iter().map(ToString::to_string).collect()).or_default() += 1.0;
        }
        let expected = f64::from(days) / 6.0;
        let chi: f64 = seen.values().map(|n| (n - expected).powi(2) / expected).sum();
        assert!(seen.len() == 6 && chi < 20.5, "{chi} {seen:?}");
    }
}
