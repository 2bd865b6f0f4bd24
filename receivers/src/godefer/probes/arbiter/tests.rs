use super::*;

const SECOND: Duration = Duration::from_secs(1);

fn at(start: Instant, seconds: f64) -> Instant {
    start + Duration::from_secs_f64(seconds)
}

/// An arbiter of 1 % for a process that has used `cpus` for a minute.
fn arbiter(cpus: f64, start: Instant) -> Arbiter {
    let mut arbiter = Arbiter::new(0.01, start);
    for second in 0..=60 {
        arbiter.observe_cpu(start + second * SECOND, Duration::from_secs_f64(cpus * f64::from(second)));
    }
    arbiter
}

#[test]
fn an_idle_process_is_allowed_a_millisecond_a_second() {
    let start = Instant::now();
    let idle = arbiter(0.001, start);
    assert!((idle.allowance() - 0.001).abs() < 1e-12, "{}", idle.allowance());
    let busy = arbiter(4.0, start);
    assert!((busy.allowance() - 0.04).abs() < 1e-9, "{}", busy.allowance());
}

#[test]
fn cpu_time_that_goes_back_changes_nothing() {
    let start = Instant::now();
    let mut arbiter = arbiter(2.0, start);
    let before = arbiter.allowance();
    arbiter.observe_cpu(start + 61 * SECOND, Duration::ZERO);
    arbiter.observe_cpu(start + 61 * SECOND, Duration::from_secs(50));
    assert!((arbiter.allowance() - before).abs() < 1e-12);
}

/// Costs of a random history, checked over every window of ten seconds.
struct History {
    start: Instant,
    /// Second, allowance from then on.
    allowances: Vec<(f64, f64)>,
    /// Second, cost.
    charges: Vec<(f64, f64)>,
    largest: f64,
}

impl History {
    /// A history of five minutes in steps of random length: probes ask and cost between nothing and twenty times what they
    /// expected, while CPU use jumps.
    fn run(seed: u64, steady: bool) -> Self {
        let mut random = fastrand::Rng::with_seed(seed);
        let start = Instant::now();
        let mut arbiter = Arbiter::new(0.01, start);
        let mut history = Self { start, allowances: Vec::new(), charges: Vec::new(), largest: 0.0 };
        let (mut second, mut cpus, mut total) = (0.0, 2.0 * random.f64(), 0.0);
        while second < 300.0 {
            let step = 0.2 * random.f64();
            second += step;
            total += cpus * step;
            if !steady && random.f64() < 0.01 {
                cpus = if random.bool() { 8.0 * random.f64() } else { 0.0 };
            }
            arbiter.observe_cpu(at(start, second), Duration::from_secs_f64(total));
            history.allowances.push((second, arbiter.allowance()));
            let probe = Probe::ALL[random.usize(0..4)];
            let expected = Duration::from_secs_f64(0.05 * random.f64());
            if arbiter.grant(probe, expected, at(history.start, second)) == Grant::Yes {
                let cost = expected.mul_f64(20.0 * random.f64().powi(4));
                arbiter.charge(probe, cost, at(start, second));
                history.charges.push((second, cost.as_secs_f64()));
                history.largest = history.largest.max(cost.as_secs_f64());
            }
        }
        history
    }

    /// The most by which ten seconds overran what they allow, and the savings from before if they were made at another allowance.
    fn excess(&self) -> f64 {
        let mut worst = f64::NEG_INFINITY;
        for (from, allowance) in self.allowances.iter().step_by(13) {
            let inside = |second: f64| *from <= second && second < *from + HORIZON;
            let charged: f64 = self.charges.iter().filter(|(second, _)| inside(*second)).map(|(_, cost)| cost).sum();
            let spans = self.allowances.windows(2).filter(|pair| inside(pair[0].0));
            let income: f64 = spans.map(|pair| (pair[1].0 - pair[0].0) * pair[0].1.max(pair[1].1)).sum();
            worst = worst.max(charged - HANDED_OUT * (income + SAVING * allowance));
        }
        worst
    }
}

#[test]
fn ten_seconds_cost_no_more_than_allowed_and_one_overshoot() {
    let (mut granted, mut overdrawn) = (0, 0);
    for seed in 0..100 {
        let history = History::run(seed, seed % 2 == 0);
        let excess = history.excess();
        assert!(excess <= history.largest * (1.0 + 1e-6) + 1e-3, "seed {seed}: {excess} above {}", history.largest);
        granted += history.charges.len();
        overdrawn += usize::from(excess > 0.0);
    }
    assert!(granted > 2_000 && overdrawn > 20, "the histories are too tame: {granted} grants, {overdrawn} overshoots");
}

#[test]
fn what_is_always_on_and_costs_too_much_is_shed_within_a_second() {
    let start = Instant::now();
    let mut arbiter = arbiter(1.0, start);
    let mut now = start + 60 * SECOND;
    for _ in 0..100 {
        now += SECOND / 10;
        arbiter.charge(Probe::Panics, Duration::from_micros(500), now);
        assert!(!arbiter.must_shed(Probe::Panics, now));
    }
    let jump = now;
    while !arbiter.must_shed(Probe::Panics, now) {
        now += SECOND / 10;
        arbiter.charge(Probe::Panics, Duration::from_millis(50), now);
    }
    assert!(now.duration_since(jump) <= SECOND);
    assert!(matches!(arbiter.grant(Probe::Panics, Duration::from_millis(1), now), Grant::NotBefore(_)));
}

/// Every probe asks all the time; says how much each got, as a share of the allowance.
fn scramble(hungry: &[Probe]) -> Vec<f64> {
    let start = Instant::now();
    let mut arbiter = arbiter(1.0, start);
    let mut got = vec![0.0; 4];
    for step in 0..6000_u32 {
        let now = start + 60 * SECOND + step * SECOND / 100;
        if step % 100 == 0 {
            arbiter.observe_cpu(now, (60 + step / 100) * SECOND);
        }
        for (probe, got) in Probe::ALL.into_iter().zip(&mut got) {
            let cost = Duration::from_micros(500);
            if hungry.contains(&probe) && arbiter.grant(probe, cost, now) == Grant::Yes {
                arbiter.charge(probe, cost, now);
                *got += cost.as_secs_f64() / 0.6;
            }
        }
    }
    got
}

#[test]
fn a_probe_uses_what_the_others_leave() {
    let alone = scramble(&[Probe::Timer]);
    assert!((0.8..=1.0).contains(&alone[3]), "{alone:?}");
    let two = scramble(&[Probe::Rates, Probe::Timer]);
    assert!((0.7..=0.9).contains(&two[1]), "{two:?}");
    assert!((0.06..=0.1).contains(&two[3]), "{two:?}");
}

#[test]
fn panics_come_first_and_nothing_starves_below_its_reserve() {
    let all = scramble(&Probe::ALL);
    assert!((0.6..=0.8).contains(&all[0]), "{all:?}");
    assert!(all[1] < 0.1, "{all:?}");
    assert!(all[2] > 0.06 && all[3] > 0.06, "{all:?}");
}

#[test]
fn what_is_available_is_what_more_important_probes_leave() {
    let start = Instant::now();
    let mut arbiter = arbiter(1.0, start);
    let mut now = start + 60 * SECOND;
    for _ in 0..300 {
        now += SECOND / 10;
        arbiter.charge(Probe::Panics, Duration::from_micros(200), now);
        arbiter.charge(Probe::Timer, Duration::from_micros(500), now);
    }
    let income = arbiter.income();
    let rates = arbiter.available(Probe::Rates, now);
    assert!((rates - (income - 0.002 - 0.1 * income)).abs() < 0.0002, "{rates} of {income}");
}

#[test]
fn what_was_spent_is_told_once_by_probe() {
    let start = Instant::now();
    let mut arbiter = arbiter(1.0, start);
    arbiter.spent(start + 60 * SECOND);
    arbiter.charge(Probe::Rates, Duration::from_millis(30), start + 61 * SECOND);
    let spent = arbiter.spent(start + 65 * SECOND);
    assert!((spent[1].1 - 0.006).abs() < 1e-9, "{spent:?}");
    assert_eq!(spent.iter().map(|(probe, _)| probe.name()).collect::<Vec<_>>(), ["panics", "rates", "files", "timer"]);
    assert!(arbiter.spent(start + 66 * SECOND).iter().all(|(_, share)| *share == 0.0));
}
