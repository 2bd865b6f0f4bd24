//! Where in a program which probe stands.

use deferd_bpf::{Offsets, Place, Role};
use deferd_goproc::image::{Image, NoProbePoint, ProbePoint};
use deferd_goproc::layout::ProbeLayout;

/// The functions that are probed, and for what.
const FUNCTIONS: [(Role, &str); 9] = [
    (Role::Raise, "runtime.gopanic"),
    (Role::Recovery, "runtime.recovery"),
    (Role::FatalPanic, "runtime.fatalpanic"),
    (Role::Goexit, "runtime.Goexit"),
    (Role::Throw, "runtime.throw"),
    (Role::Throw, "runtime.fatal"),
    (Role::Return, "runtime.deferreturn"),
    (Role::Open, "os.newFile"),
    (Role::Close, "os.(*file).close"),
];

/// The places in one program.
#[derive(Debug, Clone, Default)]
pub(super) struct Places {
    pub(super) panics: Vec<Place>,
    pub(super) returns: Vec<Place>,
    pub(super) files: Vec<Place>,
    /// Link-time address of the breakpoint in `deferreturn`.
    pub(super) return_address: Option<u64>,
    /// Functions in which there is no place, though the program has them.
    pub(super) without: Vec<String>,
}

impl Places {
    pub(super) fn of(image: &Image) -> Self {
        let names: Vec<&str> = FUNCTIONS.iter().map(|(_, name)| *name).collect();
        let mut places = Self::default();
        for ((role, name), found) in FUNCTIONS.into_iter().zip(image.probe_points(&names)) {
            match found {
                Ok(point) => places.add(role, &point),
                // Nothing in the program calls it, so that nothing is missed.
                Err(NoProbePoint::Absent) => {}
                Err(error) => places.without.push(format!("{name}: {error}")),
            }
        }
        // Files that are opened and never seen closed would all look leaked.
        if places.files.len() < 2 {
            places.files.clear();
        }
        places
    }

    fn add(&mut self, role: Role, point: &ProbePoint) {
        let place = Place { role, file_offset: point.file_offset };
        match role {
            Role::Return => {
                self.returns.push(place);
                self.return_address = Some(point.address);
            }
            Role::Open | Role::Close => self.files.push(place),
            _ => self.panics.push(place),
        }
    }
}

/// Where the programs find what they read of a process built by Go 1.`minor`.
pub(super) fn offsets(minor: u32) -> Option<Offsets> {
    let layout = ProbeLayout::of(minor)?;
    // All of them are below the size of a `g`.
    let number = |offset: usize| u32::try_from(offset).unwrap_or(0);
    let (record, panic) = (layout.record, layout.panic);
    Some(Offsets {
        g_goid: number(layout.goid),
        g_sigcode0: layout.recovery.map_or(0, number),
        defer_link: number(record.link),
        defer_rangefunc: record.range_func.map_or(0, number),
        defer_head: record.range_func.map_or(0, |_| number(record.head)),
        panic_arg: number(panic.arg),
        panic_link: number(panic.link),
        panic_sp: panic.sp.map_or(0, number),
        panic_retpc: panic.retpc.map_or(0, number),
        panic_recovered: number(panic.recovered),
        panic_goexit: number(panic.goexit),
        m_curg: number(layout.current),
    })
}
