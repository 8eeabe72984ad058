use proptest::prelude::*;

use super::*;

const FRESH: Life = Life {
    created_at: Millis(1_000),
    not_before: None,
    not_after: None,
    revoked_at: None,
};

fn scheduled(not_before: u64) -> Life {
    Life {
        not_before: Some(Millis(not_before)),
        ..FRESH
    }
}

fn ending(not_after: u64) -> Life {
    Life {
        not_after: Some(Millis(not_after)),
        ..FRESH
    }
}

#[test]
fn a_secret_holds_from_its_beginning_until_just_before_its_end() {
    let secret = Life {
        not_after: Some(Millis(9_000)),
        ..scheduled(5_000)
    };
    for (now, standing) in [
        (4_999, Standing::Scheduled),
        (5_000, Standing::Live),
        (8_999, Standing::Live),
        (9_000, Standing::Ended),
    ] {
        assert_eq!(secret.standing(None, Millis(now)), standing, "{now}");
    }
}

#[test]
fn what_would_end_before_it_begins_has_ended() {
    let secret = Life {
        not_after: Some(Millis(5_000)),
        ..scheduled(5_000)
    };
    assert_eq!(secret.standing(None, Millis(0)), Standing::Ended);
}

#[test]
fn the_projects_limit_of_age_counts_from_where_the_secret_begins() {
    assert_eq!(FRESH.ends_at(Some(500)), Some(Millis(1_500)));
    assert_eq!(scheduled(5_000).ends_at(Some(500)), Some(Millis(5_500)));
    assert_eq!(scheduled(10).ends_at(Some(500)), Some(Millis(1_500)));
    assert_eq!(ending(1_200).ends_at(Some(500)), Some(Millis(1_200)));
    assert_eq!(ending(1_700).ends_at(Some(500)), Some(Millis(1_500)));
    assert_eq!(FRESH.ends_at(None), None);
    assert_eq!(FRESH.standing(Some(500), Millis(1_499)), Standing::Live);
    assert_eq!(FRESH.standing(Some(500), Millis(1_500)), Standing::Ended);
}

#[test]
fn a_revoked_secret_is_revoked_whenever_it_ends() {
    let secret = Life {
        revoked_at: Some(Millis(7)),
        ..ending(8)
    };
    assert_eq!(secret.standing(None, Millis(100)), Standing::Revoked);
}

#[test]
fn a_rotation_gives_the_older_secret_its_end() {
    let now = Millis(10_000);
    let at_once = Plan {
        not_before: None,
        ends: vec![(0, Millis(70_000))],
    };
    assert_eq!(plan(&[FRESH], 60, None, None, now), Ok(at_once.clone()));
    assert_eq!(plan(&[FRESH], 60, Some(now), None, now), Ok(at_once));
    let later = Plan {
        not_before: Some(Millis(20_000)),
        ends: vec![(0, Millis(80_000))],
    };
    assert_eq!(
        plan(&[FRESH], 60, Some(Millis(20_000)), None, now),
        Ok(later)
    );
}

#[test]
fn a_rotation_during_another_is_refused_unless_it_ends_the_older_ones_at_once() {
    let now = Millis(10_000);
    for secrets in [[scheduled(20_000), ending(30_000)], [FRESH, ending(30_000)]] {
        assert_eq!(plan(&secrets, 1, None, None, now), Err(InProgress));
        let ahead = Some(Millis(10_001));
        assert_eq!(plan(&secrets, 0, ahead, None, now), Err(InProgress));
        let ended = Plan {
            not_before: None,
            ends: vec![(0, now), (1, now)],
        };
        assert_eq!(plan(&secrets, 0, None, None, now), Ok(ended));
    }
    // The end is exclusive: from it on, the rotation is over.
    let over = [FRESH, ending(10_000)];
    assert!(plan(&over, 1, None, None, now).is_ok());
    assert!(plan(&[FRESH, FRESH], 1, None, Some(9_000), now).is_ok());
}

#[test]
fn a_key_without_a_live_secret_can_be_rotated() {
    let revoked = Life {
        revoked_at: Some(Millis(1)),
        ..FRESH
    };
    let now = Millis(10_000);
    let plan = plan(&[revoked, ending(10_000)], 60, None, None, now).unwrap();
    assert_eq!(plan.ends, []);
}

#[test]
fn what_is_too_old_gets_an_end_of_its_own() {
    let now = Millis(10_000);
    let plan = plan(&[ending(1_500), FRESH], 60, None, Some(9_000), now).unwrap();
    assert_eq!(plan.ends, [(1, Millis(10_000))]);
    let plan = super::plan(&[ending(80_000), FRESH], 60, None, Some(2_000), now).unwrap();
    assert_eq!(plan.ends, [(0, Millis(3_000)), (1, Millis(3_000))]);
}

fn life() -> impl Strategy<Value = Life> {
    let time = || prop::option::of((0..40_u64).prop_map(Millis));
    (0..20_u64, time(), time(), time()).prop_map(|(created, not_before, not_after, revoked_at)| {
        Life {
            created_at: Millis(created),
            not_before,
            not_after: not_after.map(|time| time.plus(20)),
            revoked_at: revoked_at.filter(|time| time.0 > 30),
        }
    })
}

proptest! {
    /// Whatever happened before, after any row of rotations no more than two secrets hold or are
    /// going to, no older one lives longer than it would have, and without overlap none is left.
    #[test]
    fn at_most_two_secrets_hold_or_are_going_to(
        first in life(),
        max_age in prop::option::of(1..60_000_u64),
        steps in prop::collection::vec((0..30_u64, 0..30_u64, prop::option::of(0..60_u64)), 1..12),
    ) {
        let mut secrets = vec![first];
        let mut now = Millis(0);
        for (wait, overlap_s, at) in steps {
            now = now.plus(wait * 500);
            let before = secrets.clone();
            let at = at.map(|at| Millis(at * 500));
            match plan(&secrets, overlap_s, at, max_age, now) {
                Err(InProgress) => prop_assert!(overlap_s > 0 || at.is_some_and(|at| at > now)),
                Ok(plan) => {
                    for (index, end) in plan.ends {
                        secrets[index].not_after = Some(end);
                    }
                    for (old, new) in before.iter().zip(&secrets) {
                        prop_assert!(new.ends_at(max_age) <= old.ends_at(max_age)
                            || old.ends_at(max_age).is_none());
                    }
                    if overlap_s == 0 && plan.not_before.is_none() {
                        let counts = |secret: &Life| secret.standing(max_age, now).counts();
                        prop_assert!(!secrets.iter().any(counts));
                    }
                    secrets.push(Life {
                        created_at: now,
                        not_before: plan.not_before,
                        not_after: None,
                        revoked_at: None,
                    });
                }
            }
            let counting = secrets.iter().filter(|secret| secret.standing(max_age, now).counts());
            prop_assert!(counting.count() <= 2);
        }
    }

    /// Whatever age the project allows later, no older secret holds past the end that the rotation
    /// gave it.
    #[test]
    fn nothing_older_comes_back(
        secrets in prop::collection::vec(life(), 1..5),
        overlap_s in 0..60_u64,
        max_age in prop::option::of(1..60_u64),
        later in prop::option::of(1..200_000_u64),
        now in (0..200_u64).prop_map(Millis),
        at in prop::option::of((0..200_u64).prop_map(Millis)),
    ) {
        if let Ok(plan) = plan(&secrets, overlap_s, at, max_age, now) {
            let end = plan.not_before.unwrap_or(now).plus(overlap_s * 1000);
            let mut after = secrets;
            for (index, end) in plan.ends {
                after[index].not_after = Some(end);
            }
            for secret in after {
                prop_assert!(!secret.standing(later, end).counts());
            }
        }
    }
}
