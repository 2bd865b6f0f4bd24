use std::time::{Duration, Instant};

use super::*;

const MILLISECOND: Duration = Duration::from_millis(1);
const SECOND: Duration = Duration::from_secs(1);
const PC: u64 = 0x004a_0b10;
const COST: HitCost = HitCost { each: Duration::from_nanos(500), uncertainty: 0.1 };

/// A stretch of `hits` with `nodes` records each, all of one site, one in 2^`shift` walked.
fn stretch(wall: Duration, hits: u64, nodes: u64, shift: u8) -> Interval {
    let sampled = hits >> shift;
    let site = SiteSample { pc: PC, frames: sampled, nodes: sampled * nodes, nodes_sq: sampled * nodes * nodes };
    Interval {
        wall,
        target_cpu: wall / 2,
        hits,
        busiest: hits,
        shift,
        sampled,
        nodes: site.nodes,
        nodes_sq: site.nodes_sq,
        sites: vec![site],
        ..Interval::default()
    }
}

fn window(inside: Interval) -> Window {
    let cpu = inside.target_cpu.saturating_sub(COST.each * u32::try_from(inside.hits).unwrap());
    let outside_cpu = cpu.mul_f64(0.99 / inside.wall.as_secs_f64());
    Window { inside, outside_wall: Duration::from_millis(990), outside_cpu, outside_cost: Duration::ZERO }
}

fn total(fill: impl FnOnce(&mut Rates)) -> Estimate {
    let mut rates = Rates::new(COST);
    fill(&mut rates);
    rates.report().unwrap().total
}

#[test]
fn every_hit_walked_is_exact_but_for_the_clock() {
    let estimate = total(|rates| rates.always_on(&stretch(10 * SECOND, 12_345, 3, 0)));
    assert!((estimate.value - 3703.5).abs() < 1e-9, "{estimate:?}");
    assert!(estimate.lower > 3699.0 && estimate.upper.unwrap() < 3708.0, "{estimate:?}");
}

#[test]
fn no_hits_are_no_registrations_and_not_an_unknown_number() {
    let estimate = total(|rates| rates.always_on(&stretch(SECOND, 0, 0, 3)));
    assert_eq!(estimate, Estimate { value: 0.0, lower: 0.0, upper: Some(0.0) });
}

#[test]
fn a_cut_walk_makes_the_rate_a_lower_bound() {
    for shift in [0, 4] {
        let mut interval = stretch(SECOND, 1600, 1000, shift);
        interval.cut = 1;
        let estimate = total(|rates| rates.always_on(&interval));
        assert_eq!(estimate.upper, None, "one in 2^{shift} walked");
        assert!(estimate.lower > 0.0);
    }
}

#[test]
fn too_few_walks_say_what_they_saw_and_no_more() {
    let estimate = total(|rates| rates.always_on(&stretch(SECOND, 7 << 6, 10, 6)));
    assert!(estimate.upper.is_none() && estimate.lower > 69.0 && estimate.lower <= 70.0, "{estimate:?}");
}

#[test]
fn two_windows_say_what_they_saw_and_three_say_a_rate() {
    let some = |count| total(|rates| (0..count).for_each(|_| rates.window(window(stretch(10 * MILLISECOND, 1000, 2, 0)))));
    let two = some(2);
    assert!(two.upper.is_none() && two.lower > 0.0 && two.lower < 2001.0, "{two:?}");
    let three = some(3);
    assert!(three.lower < 200_000.0 && three.upper.unwrap() > 200_000.0, "{three:?}");
}

#[test]
fn few_windows_that_look_alike_leave_room_for_pauses_that_they_missed() {
    let lower = |count| total(|rates| (0..count).for_each(|_| rates.window(window(stretch(10 * MILLISECOND, 100, 2, 0))))).lower;
    let (few, many) = (lower(5) / 20_000.0, lower(60) / 20_000.0);
    assert!((0.4..0.55).contains(&few), "{few}");
    assert!((0.8..1.0).contains(&many), "{many}");
}

#[test]
fn a_report_of_few_windows_learns_from_earlier_ones() {
    let mut rates = Rates::new(COST);
    let alike = |rates: &mut Rates| {
        (0..10).for_each(|_| rates.window(window(stretch(10 * MILLISECOND, 100, 2, 0))));
        rates.report().unwrap().total
    };
    let first = alike(&mut rates);
    let later = (0..8).map(|_| alike(&mut rates)).last().unwrap();
    assert!(later.lower > first.lower * 1.1, "{first:?} {later:?}");
}

#[test]
fn windows_full_of_probe_give_a_lower_bound_only() {
    let busy = |hits| {
        let mut inside = stretch(10 * MILLISECOND, hits, 2, 0);
        inside.target_cpu = 10 * MILLISECOND;
        total(|rates| (0..20).for_each(|_| rates.window(window(inside.clone()))))
    };
    assert!(busy(5_000).upper.is_some());
    let saturated = busy(15_000);
    assert!(saturated.upper.is_none() && saturated.lower > 0.0, "{saturated:?}");
}

#[test]
fn nothing_counted_is_no_report() {
    assert!(Rates::new(COST).report().is_none());
}

#[test]
fn totals_are_made_up_for_time_in_which_nothing_was_counted_and_rates_are_not() {
    let mut rates = Rates::new(COST);
    rates.always_on(&stretch(SECOND, 1000, 1, 0));
    assert!((rates.report().unwrap().sites[0].registrations - 1000.0).abs() < 1e-6);
    rates.gap(4 * SECOND);
    assert!(rates.report().is_none());
    rates.always_on(&stretch(SECOND, 1000, 1, 0));
    let site = rates.report().unwrap().sites[0];
    assert!((site.rate.value - 1000.0).abs() < 1e-6, "{site:?}");
    assert!((site.registrations - 6000.0).abs() < 1e-6, "{site:?}");
}

#[test]
fn totals_of_windows_go_on_until_the_next_one_corrects_them() {
    let mut rates = Rates::new(COST);
    (0..3).for_each(|_| rates.window(window(stretch(10 * MILLISECOND, 100, 1, 0))));
    let mut sites = rates.report().unwrap().sites;
    let (total, least) = (sites[0].registrations, sites[0].rate.lower);
    rates.carry_on(&mut sites, 2 * SECOND);
    assert!((sites[0].registrations - total - 2.0 * least).abs() < 1e-6, "{sites:?}");
    // The time that was carried on is that of the next windows, and is not counted twice.
    (0..3).for_each(|_| rates.window(window(stretch(10 * MILLISECOND, 100, 1, 0))));
    let next = rates.report().unwrap().sites[0];
    assert!((next.registrations - 2.0 * total).abs() < 0.05 * total, "{next:?} after {total}");
}

#[test]
fn registrations_never_fall_whatever_is_counted() {
    let mut random = fastrand::Rng::with_seed(5);
    let mut rates = Rates::new(COST);
    let mut before = std::collections::BTreeMap::new();
    for _ in 0..2000 {
        let mut hostile = stretch(random.u32(0..2) * SECOND, 1, 1, 0);
        hostile.hits = random.u64(..) >> random.u8(0..64);
        hostile.shift = random.u8(0..4);
        hostile.sampled = random.u64(..) >> random.u8(0..64);
        hostile.nodes = random.u64(..) >> random.u8(0..64);
        hostile.nodes_sq = random.u64(..) >> random.u8(0..64);
        hostile.target_cpu = random.u32(0..3) * MILLISECOND;
        hostile.busiest = random.u64(..);
        for site in &mut hostile.sites {
            *site =
                SiteSample { pc: random.u64(0..9), frames: random.u64(0..9), nodes: random.u64(..), nodes_sq: random.u64(..) };
        }
        match random.u8(0..4) {
            0 => rates.always_on(&hostile),
            1 | 2 => rates.window(Window {
                inside: hostile,
                outside_wall: random.u32(0..2000) * MILLISECOND,
                outside_cpu: random.u32(0..2000) * MILLISECOND,
                outside_cost: random.u32(0..20) * MILLISECOND,
            }),
            _ => {
                let Some(report) = rates.report() else { continue };
                for rate in report.sites.iter().map(|site| site.rate).chain([report.total]) {
                    assert!(rate.lower >= 0.0 && rate.lower <= rate.value && rate.value.is_finite(), "{rate:?}");
                    assert!(rate.upper.is_none_or(|upper| upper.is_finite() && rate.value <= upper), "{rate:?}");
                }
                for site in report.sites {
                    let earlier = before.insert(site.pc, site.registrations).unwrap_or(0.0);
                    assert!(site.registrations >= earlier && site.registrations.is_finite(), "{site:?} after {earlier}");
                }
            }
        }
    }
    assert!(before.len() > 5);
}

#[test]
fn sites_are_bounded() {
    let mut rates = Rates::new(COST);
    for first in 0..10 {
        let mut many = stretch(SECOND, 100, 1, 0);
        many.sites = (0..1000).map(|pc| SiteSample { pc: first * 1000 + pc, frames: 1, nodes: 1, nodes_sq: 1 }).collect();
        rates.always_on(&many);
    }
    let report = rates.report().unwrap();
    assert_eq!(report.sites.len(), 1024);
    assert!((report.total.value - 100.0).abs() < 1e-9);
}

fn load(hits_per_second: f64) -> Load {
    Load { hits_per_second, peak: hits_per_second, hit: COST.each, walk: MILLISECOND / 500, residency: 25 * MILLISECOND }
}

/// 1 % of a CPU.
const AVAILABLE: f64 = 0.01;

#[test]
fn a_slow_target_is_watched_always_after_one_window() {
    let now = Instant::now();
    let mut planner = Planner::new(true, now);
    assert!(matches!(planner.mode(), Mode::Windows { .. }));
    assert_eq!(planner.decide(&load(100.0), AVAILABLE, false, now + SECOND), Mode::AlwaysOn { shift: 0 });
}

#[test]
fn fewer_hits_are_walked_before_the_probe_goes_to_windows() {
    let now = Instant::now();
    let mut planner = Planner::new(true, now);
    planner.decide(&load(100.0), AVAILABLE, false, now);
    let Mode::AlwaysOn { shift } = planner.decide(&load(8_000.0), AVAILABLE, false, now) else { panic!("windows") };
    assert!((1..=4).contains(&shift), "one in 2^{shift}");
    assert!(matches!(planner.decide(&load(20_000.0), AVAILABLE, false, now), Mode::Windows { .. }));
}

#[test]
fn a_rate_at_the_limit_does_not_go_back_and_forth() {
    let start = Instant::now();
    let mut random = fastrand::Rng::with_seed(3);
    let mut planner = Planner::new(true, start);
    let (mut before, mut changes) = (planner.mode(), 0);
    for second in 0..600_u32 {
        let mode = planner.decide(&load(14_000.0 + 4_000.0 * random.f64()), AVAILABLE, false, start + second * SECOND);
        changes += usize::from(std::mem::discriminant(&mode) != std::mem::discriminant(&before));
        before = mode;
    }
    assert!(changes <= 1, "{changes} changes in ten minutes");
}

#[test]
fn a_burst_that_returns_makes_the_wait_for_always_on_longer() {
    let mut now = Instant::now();
    let mut planner = Planner::new(true, now);
    let mut waits = Vec::new();
    for _ in 0..6 {
        let calm = now;
        while !matches!(planner.decide(&load(50.0), AVAILABLE, false, now), Mode::AlwaysOn { .. }) {
            now += SECOND / 4;
        }
        waits.push(now.duration_since(calm).as_secs());
        now += SECOND;
        planner.over_limit(&load(1e6), AVAILABLE, now);
    }
    assert_eq!(waits, [0, 5, 10, 20, 40, 60]);
}

#[test]
fn in_debt_nothing_becomes_always_on() {
    let now = Instant::now();
    let mut planner = Planner::new(true, now);
    assert!(matches!(planner.decide(&load(10.0), AVAILABLE, true, now), Mode::Windows { .. }));
}

/// The last of `count` decisions, one after each window.
fn decided(planner: &mut Planner, load: &Load, available: f64, count: u32) -> (Duration, Duration, u8) {
    let modes = (0..count).map(|_| planner.decide(load, available, false, Instant::now()));
    let Some(Mode::Windows { every, length, shift }) = modes.last() else { panic!("on") };
    (every, length, shift)
}

#[test]
fn windows_use_what_is_available_and_the_first_ones_what_was_saved() {
    let mut planner = Planner::new(true, Instant::now());
    let load = load(1e6);
    assert_eq!(decided(&mut planner, &load, AVAILABLE, 2).0, 200 * MILLISECOND);
    let (every, length, shift) = decided(&mut planner, &load, AVAILABLE, 1);
    assert_eq!(length, 10 * MILLISECOND);
    let share = expected(&load, shift).as_secs_f64() / every.as_secs_f64();
    assert!((0.0079..0.0081).contains(&share), "{share}");
}

#[test]
fn long_chains_make_windows_walk_less_and_not_rarer_for_minutes() {
    let mut planner = Planner::new(true, Instant::now());
    let load = Load { walk: 500 * MILLISECOND / 1000, ..load(10_000.0) };
    let (every, _, shift) = decided(&mut planner, &load, 0.001, 3);
    assert!(every < 10 * SECOND, "{every:?} at one in 2^{shift}");
}

#[test]
fn the_limit_is_what_a_second_may_cost() {
    let now = Instant::now();
    let mut planner = Planner::new(true, now);
    planner.decide(&load(100.0), AVAILABLE, false, now);
    assert_eq!(planner.limit_hits(&load(100.0), AVAILABLE), 4000);
    assert_eq!(planner.limit_hits(&load(100.0), 0.0), 1);
}

#[test]
fn without_deferreturn_nothing_is_ever_placed() {
    let now = Instant::now();
    let mut planner = Planner::new(false, now);
    assert_eq!(planner.decide(&load(0.0), AVAILABLE, false, now), Mode::Off);
    assert_eq!(planner.over_limit(&load(0.0), AVAILABLE, now), Mode::Off);
}

#[test]
fn windows_come_at_irregular_times_that_average_out() {
    let now = Instant::now();
    assert_eq!(next_window(now, SECOND, 0.0), now + SECOND / 2);
    assert_eq!(next_window(now, SECOND, 0.5), now + SECOND);
    assert_eq!(next_window(now, SECOND, 7.0), now + SECOND * 3 / 2);
}

#[test]
fn few_degrees_of_freedom_widen_an_interval() {
    assert_eq!(super::student::quantile(0.5), None);
    assert_eq!(super::student::quantile(1.9), Some(12.706));
    assert_eq!(super::student::quantile(11.0), Some(2.228));
    assert_eq!(super::student::quantile(1e9), Some(1.962));
}

#[test]
fn windows_are_as_long_as_they_were_asked_to_be_in_whatever_mode_that_was() {
    let now = Instant::now();
    let mut planner = Planner::new(true, now);
    let of_windows = |mode: Mode| if let Mode::Windows { length, .. } = mode { Some(length) } else { None };
    planner.set_length(50 * MILLISECOND);
    assert_eq!(of_windows(planner.mode()), Some(50 * MILLISECOND));
    let busy = Load { hits_per_second: 1e6, peak: 1e6, hit: COST.each, walk: COST.each, residency: 60 * MILLISECOND };
    assert_eq!(of_windows(planner.decide(&busy, 0.01, false, now)), Some(50 * MILLISECOND));
}
