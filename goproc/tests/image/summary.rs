//! What every program must say of itself, whatever built it.

use crate::fixtures::{Fixture, Mode, fixtures};

#[test]
fn every_release_in_every_mode_is_read() {
    for fixture in fixtures(&Mode::ALL) {
        check(&fixture);
    }
}

#[test]
fn an_image_is_shared_between_threads() {
    fn is_shared<T: Send + Sync + 'static>() {}
    is_shared::<deferd_goproc::image::Image>();
}

fn check(fixture: &Fixture) {
    let image = fixture.image();
    eprintln!("{fixture}: {} functions {:x?}", image.function_count(), image.globals());
    assert_eq!(image.version().minor(), fixture.toolchain.version.minor, "{fixture}");
    assert_eq!(image.version().text(), format!("go{}", fixture.toolchain.version), "{fixture}");
    assert_eq!(image.module_path(), Some("deferd.test/image"), "{fixture}");
    assert_eq!(image.main_path(), Some("deferd.test/image"), "{fixture}");
    assert_eq!(image.is_pie(), fixture.mode.is_pie(), "{fixture}");
    let build_id = fixture.tool(&["buildid"], "");
    assert_eq!(image.build_id(), Some(build_id.trim()), "{fixture}");
    let globals = image.globals();
    assert!(globals.disputed.is_empty(), "{fixture}: {:?}", globals.disputed);
    let all = [globals.allgptr, globals.allglen, globals.sched, globals.memstats, globals.gc_controller];
    assert!(all.iter().all(Option::is_some), "{fixture}: {globals:x?}");
}
