//! Where in a program which probe stands.

use deferd_bpf::{Offsets, Place, Role};
use deferd_goproc::image::{Image, NoProbePoint, ProbePoint};
use deferd_goproc::layout::ProbeLayout;

/// A function that is probed, and for what.
#[derive(Debug, Clone, Copy)]
pub struct ProbedFunction {
    role: Role,
    /// The probe, by its name in the configuration.
    pub probe: &'static str,
    /// What a hit means.
    pub event: &'static str,
    /// Its full name.
    pub function: &'static str,
}

const fn probed(role: Role, probe: &'static str, event: &'static str, function: &'static str) -> ProbedFunction {
    ProbedFunction { role, probe, event, function }
}

/// All of them.
pub const PROBED: [ProbedFunction; 9] = [
    probed(Role::Raise, "panics", "panic raised", "runtime.gopanic"),
    probed(Role::Recovery, "panics", "panic recovered", "runtime.recovery"),
    probed(Role::FatalPanic, "panics", "fatal panic", "runtime.fatalpanic"),
    probed(Role::Goexit, "panics", "Goexit", "runtime.Goexit"),
    probed(Role::Throw, "panics", "runtime fault", "runtime.throw"),
    probed(Role::Throw, "panics", "fatal error", "runtime.fatal"),
    probed(Role::Return, "rates", "return with defers", DEFERRETURN),
    probed(Role::Open, "files", "file opened", "os.newFile"),
    probed(Role::Close, "files", "file closed", "os.(*file).close"),
];

const DEFERRETURN: &str = "runtime.deferreturn";

/// The places in one program, by the link that they share.
#[derive(Debug, Clone, Default)]
pub struct Places {
    /// For panics and what else ends a goroutine.
    pub panics: Vec<Place>,
    /// For rates.
    pub returns: Vec<Place>,
    /// For open files.
    pub files: Vec<Place>,
    /// The instructions at all of them.
    pub points: Vec<ProbePoint>,
    /// Functions in which there is no place, though the program has them; and why.
    pub without: Vec<String>,
}

impl Places {
    /// Finds them by decoding.
    pub fn of(image: &Image) -> Self {
        let mut found: Vec<(Role, ProbePoint)> = Vec::new();
        let mut without = Vec::new();
        for (wanted, point) in PROBED.iter().zip(image.probe_points(&PROBED.map(|wanted| wanted.function))) {
            match point {
                Ok(point) => found.push((wanted.role, point)),
                // Nothing in the program calls it, so that nothing is missed.
                Err(NoProbePoint::Absent) => {}
                Err(error) => without.push(format!("{}: {error}", wanted.function)),
            }
        }
        let is_file = |role| matches!(role, Role::Open | Role::Close);
        // Files that are opened and never seen closed would all look leaked.
        if found.iter().filter(|(role, _)| is_file(*role)).count() < 2 {
            found.retain(|(role, _)| !is_file(*role));
        }
        let mut places = Self { without, ..Self::default() };
        for (role, point) in found {
            places.of_kind(role).push(Place { role, file_offset: point.file_offset });
            places.points.push(point);
        }
        places
    }

    fn of_kind(&mut self, role: Role) -> &mut Vec<Place> {
        match role {
            Role::Return => &mut self.returns,
            Role::Open | Role::Close => &mut self.files,
            _ => &mut self.panics,
        }
    }

    /// Link-time address of the breakpoint in `deferreturn`.
    pub(super) fn return_address(&self) -> Option<u64> {
        self.points.iter().find(|point| point.function == DEFERRETURN).map(|point| point.address)
    }
}

/// Where the programs find what they read of a process built by Go 1.`minor`.
pub fn offsets(minor: u32) -> Option<Offsets> {
    let layout = ProbeLayout::of(minor)?;
    // All of them are below the size of a `g`.
    let number = |offset: usize| u32::try_from(offset).unwrap_or(0);
    let (record, panic) = (layout.record, layout.panic);
    Some(Offsets {
        g_goid: number(layout.goid),
        g_sigcode0: layout.recovery.map_or(0, number),
        defer_link: number(record.link),
        defer_rangefunc: record.range_func.map_or(0, number),
        panic_arg: number(panic.arg),
        panic_sp: panic.sp.map_or(0, number),
        panic_retpc: panic.retpc.map_or(0, number),
        panic_recovered: number(panic.recovered),
        m_curg: number(layout.current),
    })
}
