//! Shuffles the users of a day; every order is equally likely.

use rand::SeedableRng as _;
use rand::rngs::StdRng;
use rand::seq::SliceRandom as _;
use sha2::{Digest as _, Sha256};
use shared::id::UserId;

/// Shuffles with a generator that is seeded by the day (Fisher–Yates). Two planners that run at once then make the
/// same pairs, and their rows have the same keys.
pub(crate) fn shuffle(users: &mut [UserId], day: &str) {
    let seed: [u8; 32] = Sha256::digest(format!("auto-message-planner {day}").as_bytes()).into();
    users.shuffle(&mut StdRng::from_seed(seed));
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use shared::id::UserId;

    use super::shuffle;

    /// Counts the six orders of three users over many fixed days. With five degrees of freedom, a random shuffle
    /// exceeds a chi-square of 20.5 once in a thousand times.
    #[test]
    fn shuffle_makes_every_order_equally_often() {
        let mut counts: HashMap<Vec<String>, f64> = HashMap::new();
        let days = 6_000;
        for day in 0..days {
            let mut users = ["a", "b", "c"].map(UserId::trusted);
            shuffle(&mut users, &format!("day {day}"));
            *counts.entry(users.iter().map(ToString::to_string).collect()).or_default() += 1.0;
        }
        let expected = f64::from(days) / 6.0;
        let chi_square: f64 = counts.values().map(|n| (n - expected).powi(2) / expected).sum();
        assert!(counts.len() == 6 && chi_square < 20.5, "{chi_square} {counts:?}");
    }
}
