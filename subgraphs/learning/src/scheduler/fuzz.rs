//! Spreading cards over days: fuzz and easy days. A card's interval varies within a range that grows with it, as Anki's does; where in the range is
//! told by the card and the number of its answers, so that the same history always gives the same day.

use common::CardId;

use super::{Day, EasyDay, Rules};

/// For each stretch of an interval, in days, how much of it the range may reach to either side.
const REACH: [(f64, f64, f64); 3] = [(2.5, 7.0, 0.15), (7.0, 20.0, 0.1), (20.0, f64::MAX, 0.05)];

/// The interval, in days from `day`, at which the card comes back instead of after `interval`. Never beyond the longest of the rules.
pub(super) fn spread(rules: &Rules, card: CardId, reps: u32, day: Day, interval: u32) -> u32 {
    let easy_days = rules.easy_days != [EasyDay::Normal; 7];
    let (earliest, latest) = range(interval, rules.maximum_interval);
    if earliest == latest || !(rules.fuzz || easy_days) {
        return interval;
    }
    let weight = |interval: u32| match rules.easiness(day.plus(interval)) {
        EasyDay::Normal => 1.0_f64,
        EasyDay::Reduced => 0.5,
        EasyDay::Minimum => 0.000_1,
    };
    if !rules.fuzz {
        // The best day, and of the best the nearest one.
        let best = (earliest..=latest).max_by(|a, b| {
            let nearness = |day: &u32| std::cmp::Reverse(day.abs_diff(interval));
            weight(*a).total_cmp(&weight(*b)).then(nearness(a).cmp(&nearness(b)))
        });
        return best.unwrap_or(interval);
    }
    let total: f64 = (earliest..=latest).map(weight).sum();
    let mut left = fraction(card, reps) * total;
    for candidate in earliest..latest {
        left -= weight(candidate);
        if left < 0.0 {
            return candidate;
        }
    }
    latest
}

fn range(interval: u32, longest: u32) -> (u32, u32) {
    let days = f64::from(interval);
    if days < 2.5 {
        return (interval, interval);
    }
    let reach = |(from, to, share): (f64, f64, f64)| share * (days.min(to) - from).max(0.0);
    let delta = 1.0 + REACH.into_iter().map(reach).sum::<f64>();
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "an interval is at most 36,500 days, and delta is less than it"
    )]
    let whole = |days: f64| days.round() as u32;
    let earliest = whole(days - delta).max(2).min(longest);
    (earliest, whole(days + delta).clamp(earliest, longest.max(earliest)))
}

/// A number from 0 up to 1 that looks random and is told by the card and the number of its answers (splitmix64).
fn fraction(card: CardId, reps: u32) -> f64 {
    let (high, low) = card.uuid().as_u64_pair();
    let mut x = high ^ low.rotate_left(32) ^ u64::from(reps).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    x ^= x >> 31;
    #[expect(clippy::cast_precision_loss, reason = "53 bits fit")]
    let fraction = (x >> 11) as f64 / (1u64 << 53) as f64;
    fraction
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fuzzy() -> Rules {
        Rules { fuzz: true, ..Rules::original() }
    }

    fn card(nth: u128) -> CardId {
        uuid::Uuid::from_u128(nth.wrapping_mul(0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835)).into()
    }

    #[test]
    fn a_card_keeps_its_day_and_cards_differ() {
        let rules = fuzzy();
        let days: Vec<u32> =
            (0..200).map(|nth| spread(&rules, card(nth), 3, Day(0), 100)).collect();
        let again: Vec<u32> =
            (0..200).map(|nth| spread(&rules, card(nth), 3, Day(0), 100)).collect();
        assert_eq!(days, again);
        let (least, most) = (days.iter().min().unwrap(), days.iter().max().unwrap());
        // 1 + 0.15 x 4.5 + 0.1 x 13 + 0.05 x 80 = 6.975 to either side.
        assert_eq!((*least, *most), (93, 107));
        assert_eq!(spread(&rules, card(1), 1, Day(0), 2), 2, "two days are left as they are");
        let short = Rules { maximum_interval: 100, ..rules.clone() };
        assert!((0..200).all(|nth| spread(&short, card(nth), 3, Day(0), 100) <= 100));
        let plain = Rules { fuzz: false, ..rules };
        assert_eq!(spread(&plain, card(1), 3, Day(0), 100), 100);
    }

    #[test]
    fn a_longer_interval_never_comes_back_earlier() {
        let rules = fuzzy();
        for nth in 0..50 {
            let days: Vec<u32> =
                (1..400).map(|days| spread(&rules, card(nth), 7, Day(0), days)).collect();
            assert!(days.is_sorted(), "{days:?}");
        }
    }

    #[test]
    fn easy_days_bring_less() {
        let mut rules = fuzzy();
        // 1970-01-01 was a Thursday: Saturday and Sunday are easy, Monday half.
        rules.easy_days[5..].fill(EasyDay::Minimum);
        rules.easy_days[0] = EasyDay::Reduced;
        let mut cards_on = [0u32; 7];
        for nth in 0..7000 {
            let day = Day(i32::try_from(nth % 7).unwrap());
            cards_on[day.plus(spread(&rules, card(nth), 2, day, 30)).weekday()] += 1;
        }
        assert!(cards_on[5] + cards_on[6] < 20, "{cards_on:?}");
        assert!((cards_on[0] * 2).abs_diff(cards_on[2]) < cards_on[2] / 4, "{cards_on:?}");
        rules.fuzz = false;
        // 30 days after Thursday is Saturday: the day before is the nearest that is not easy.
        assert_eq!(spread(&rules, card(1), 2, Day(0), 30), 29);
    }
}
