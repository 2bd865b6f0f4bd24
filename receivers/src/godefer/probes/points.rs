//! The points of what probes found out.

use std::sync::Arc;

use deferd_goproc::snapshot::Site;

use super::super::frame::{Distribution, Frame, Reading, Series, Times, count};
use super::super::metric::Metric;
use super::figures::{Figures, Registrations};

impl Frame {
    /// What probes found out, and what that cost the process; `sites` is what the look found pending.
    pub(crate) fn probes(&mut self, figures: &Figures, sites: &[Site]) {
        for panics in &figures.panics {
            let series = Series::new(&[
                ("go.panic.stage", panics.stage.into()),
                ("go.panic.internal", panics.is_internal.into()),
                ("code.function.name", panics.function.as_str().into()),
                ("code.file.path", panics.file.as_str().into()),
                ("code.line.number", i64::from(panics.line).into()),
            ]);
            self.add(Metric::Panics, &series, count(panics.count));
        }
        for cost in &figures.costs {
            let series = Series::new(&[("deferd.probe", cost.probe.into())]);
            self.add(Metric::TargetOverhead, &series, cost.share);
            self.add(Metric::ProbeCoverage, &series, cost.coverage);
        }
        figures.registrations.iter().for_each(|site| self.registrations(site));
        for site in &figures.open_sites {
            // A close that is deferred and has not come yet tells a loop from a close that was forgotten.
            let is_deferred = |pending: &&Site| pending.name.function == site.function && pending.name.callee.ends_with("Close");
            let close = if sites.iter().any(|pending| is_deferred(&pending)) { "deferred" } else { "missing" };
            let series = Series::new(&[
                ("code.function.name", site.function.as_str().into()),
                ("code.file.path", site.file.as_str().into()),
                ("code.line.number", i64::from(site.line).into()),
                ("go.file.close", close.into()),
            ]);
            self.add(Metric::OpenFiles, &series, count(site.open));
        }
        for (function, share) in &figures.machinery {
            self.add(Metric::MachineryShare, &Series::new(&[("code.function.name", (*function).into())]), *share);
        }
        if let Some((counts, sum)) = figures.running_chains {
            let bounds = std::iter::once(0.0).chain((0..8).map(|power| f64::from(1 << power))).collect();
            #[expect(clippy::cast_precision_loss, reason = "samples times 256 stay far below 2^52")]
            let chains = Distribution { bounds, counts: counts.to_vec(), sum: sum as f64 };
            self.add_plain(Metric::RunningChains, Arc::new(chains));
        }
    }

    fn registrations(&mut self, found: &Registrations) {
        let (function, file, line) = &found.site;
        let series = Series::new(&[
            ("code.function.name", function.as_str().into()),
            ("code.file.path", file.as_str().into()),
            ("code.line.number", i64::from(*line).into()),
            ("go.defer.kind", found.kind.into()),
        ]);
        self.add(Metric::Registrations, &series, found.total);
        let about = Times { start: found.about.0, taken: found.about.1 };
        self.add(Metric::RegistrationRate, &series, Reading::Between(found.rate, about));
        self.add(Metric::RegistrationRateLower, &series, Reading::Between(found.lower, about));
        if let Some(upper) = found.upper {
            self.add(Metric::RegistrationRateUpper, &series, Reading::Between(upper, about));
        }
        if found.per_call.iter().any(|frames| *frames > 0) {
            let bounds = (0..found.per_call.len().saturating_sub(1)).map(|power| 2_f64.powi(i32::try_from(power).unwrap_or(0)));
            #[expect(clippy::cast_precision_loss, reason = "what was sampled stays far below 2^52")]
            let sum = found.per_call_sum as f64;
            let calls = Distribution { bounds: bounds.collect(), counts: found.per_call.clone(), sum };
            self.add(Metric::PerCall, &series, Arc::new(calls));
        }
    }
}
