//! Damaged executables: whatever the bytes, an answer or a refusal, in bounded
//! time and memory. Alone in its test program, so that the memory measured is
//! this test's own.

#[cfg(test)]
#[path = "image/fixtures.rs"]
#[expect(dead_code, reason = "only the builds are needed here")]
mod fixtures;

#[cfg(test)]
mod tests {
    use std::fs;
    use std::fs::File;
    use std::os::unix::fs::FileExt as _;
    use std::time::{Duration, Instant};

    use deferd_goproc::image::Image;

    use super::fixtures::{Fixture, Mode, build, toolchains};

    /// Over all programs together.
    const MUTATIONS: usize = 10_000;
    /// Hundreds of times what an undamaged program takes, debug build or not.
    const MOST_TIME: Duration = Duration::from_secs(5);
    /// Beyond a few times the file: the address space that the allocator takes
    /// for a moment when it sets up a thread's arena of 64 MiB.
    const SLACK: u64 = 64 << 20;

    #[test]
    fn ten_thousand_damaged_programs_neither_panic_nor_hang_nor_grow() {
        let programs = programs();
        let before = memory("VmSize:");
        let largest = programs.iter().map(|p| p.bytes.len()).max().expect("programs");
        let mut random = fastrand::Rng::with_seed(0x00de_fe4d);
        let mut read = 0;
        for round in 0..MUTATIONS {
            let program = &programs[round % programs.len()];
            let what = program.damage(&mut random);
            let start = Instant::now();
            read += usize::from(ask_everything(&program.file, &mut random));
            let took = start.elapsed();
            assert!(took < MOST_TIME, "round {round}: {took:?} for {what:?}");
            program.repair(&what);
        }
        for program in &programs {
            assert!(Image::read(&program.file).is_ok(), "repaired");
        }
        let grown = memory("VmPeak:").saturating_sub(before);
        println!("{MUTATIONS} damaged, {read} still read, peak memory +{grown} bytes");
        // Both kinds must have been met for the test to say anything.
        assert!(read > MUTATIONS / 20 && read < MUTATIONS * 19 / 20, "{read} read");
        assert!(grown < 3 * largest as u64 + SLACK, "grown by {grown} bytes");
    }

    /// A program in memory, and the file that is damaged and repaired.
    struct Program {
        bytes: Vec<u8>,
        file: File,
        /// Ranges worth damaging, each as likely as the others.
        targets: Vec<(usize, usize)>,
    }

    /// What was overwritten, or where the file was cut.
    #[derive(Debug)]
    struct Damage {
        ranges: Vec<(usize, usize)>,
        cut: Option<usize>,
    }

    impl Program {
        fn new(fixture: &Fixture) -> Self {
            let bytes = fs::read(&fixture.path).expect("the fixture");
            let file = tempfile::tempfile().expect("a temporary file");
            file.write_all_at(&bytes, 0).expect("room for it");
            let targets = targets(&bytes);
            Self { bytes, file, targets }
        }

        fn damage(&self, random: &mut fastrand::Rng) -> Damage {
            let mut damage = Damage { ranges: Vec::new(), cut: None };
            if random.u8(..) < 12 {
                let cut = random.usize(..self.bytes.len());
                self.file.set_len(cut as u64).expect("cut");
                damage.cut = Some(cut);
                return damage;
            }
            for _ in 0..random.usize(1..=6) {
                let &(start, end) = random.choice(&self.targets).expect("targets");
                let at = random.usize(start..end);
                let new = new_bytes(random, &self.bytes[at..end.min(at + 64)]);
                self.file.write_all_at(&new, at as u64).expect("written");
                damage.ranges.push((at, at + new.len()));
            }
            damage
        }

        fn repair(&self, damage: &Damage) {
            for &(start, end) in &damage.ranges {
                let end = end.min(self.bytes.len());
                self.file.write_all_at(&self.bytes[start..end], start as u64).expect("written");
            }
            if let Some(cut) = damage.cut {
                self.file.write_all_at(&self.bytes[cut..], cut as u64).expect("written");
            }
        }
    }

    /// Something wrong in place of `old`.
    fn new_bytes(random: &mut fastrand::Rng, old: &[u8]) -> Vec<u8> {
        const EXTREMES: [u64; 8] = [0, 1, 0x7fff_ffff, 0xffff_ffff, 1 << 47, i64::MAX as u64, u64::MAX, 0xffff_ffff_ffff_f000];
        let mut new = old.to_vec();
        match random.u8(..4) {
            0 => new[0] ^= 1 << random.u8(..8),
            1 => new.fill(0),
            2 => random.fill(&mut new),
            _ => {
                let value = EXTREMES[random.usize(..EXTREMES.len())].to_le_bytes();
                let len = new.len().min(*random.choice(&[1, 2, 4, 8]).expect("lengths"));
                new.truncate(len);
                new.copy_from_slice(&value[..len]);
            }
        }
        new
    }

    /// Headers, build information, moduledata, function table, and anywhere.
    fn targets(bytes: &[u8]) -> Vec<(usize, usize)> {
        let find = |wanted: &[u8]| bytes.windows(wanted.len()).position(|window| window == wanted);
        let table = find(&[0xf1, 0xff, 0xff, 0xff, 0, 0, 1, 8]).expect("a function table");
        let info = find(b"\xff Go buildinf:").expect("build information");
        let mut targets = vec![
            (0, 64),
            (64, 64 + 56 * 12),
            (info, info + 256),
            (table, table + 72),
            (table, bytes.len().min(table + (512 << 10))),
            (0, bytes.len()),
        ];
        // The first pointer to the table is in moduledata, or in the
        // relocation that fills moduledata in.
        let pointer = find(&address_of(bytes, table).to_le_bytes()).expect("moduledata");
        targets.push((pointer - 16, pointer + 0x160));
        let headers = u64::from_le_bytes(bytes[40..48].try_into().expect("8 bytes"));
        if let Ok(headers) = usize::try_from(headers)
            && headers > 0
        {
            targets.push((headers, bytes.len().min(headers + 64 * 24)));
        }
        targets
    }

    /// The link-time address of the byte at an offset into the file.
    fn address_of(bytes: &[u8], offset: usize) -> u64 {
        let word = |at: usize| u64::from_le_bytes(bytes[at..at + 8].try_into().expect("8 bytes"));
        let offset = offset as u64;
        (64..64 + 56 * usize::from(bytes[56]))
            .step_by(56)
            .filter(|&header| bytes[header] == 1 && word(header + 8) <= offset)
            .max_by_key(|&header| word(header + 8))
            .map(|header| word(header + 16) + offset - word(header + 8))
            .expect("a loaded segment")
    }

    /// Whether the program was accepted; if so, everything is asked of it.
    fn ask_everything(file: &File, random: &mut fastrand::Rng) -> bool {
        let Ok(image) = Image::read(file) else {
            return false;
        };
        let _ = (image.version(), image.module_path(), image.main_path(), image.build_id());
        let _ = (image.is_pie(), image.first_load_vaddr(), image.globals());
        let _ = image.load_bias(random.u64(..), random.u64(..) & !0xfff);
        // Reads all names again, so not each time.
        if random.u8(..8) == 0 {
            let _ = image.probe_points(&["runtime.gopanic", "os.newFile"]);
        }
        let text = image.text();
        let loaded = image.loaded();
        for _ in 0..4 {
            let address = loaded.start.saturating_add(random.u64(..loaded.end.saturating_sub(loaded.start).max(1)) & !7);
            let _ = (image.go_type(address), image.type_of_itab(address), image.constant(address, random.u64(..64)));
            let _ = image.constant_text(address, random.u64(..) >> random.u8(..64));
        }
        let mut asked = vec![0, 1, u64::MAX, text.start, text.end, text.end.wrapping_sub(1)];
        let size = text.end.saturating_sub(text.start).max(1);
        asked.extend((0..24).map(|_| text.start.saturating_add(random.u64(..size))));
        asked.extend(image.functions().take(24).map(|function| function.entry));
        let _ = image.stack(&asked);
        for pc in asked {
            let _ = (image.function_at(pc), image.is_function_entry(pc));
            let _ = (image.location(pc), image.frames(pc), image.frame_size(pc));
            let _ = (image.defer_call_before(pc), image.is_deferreturn_pc(pc));
            let _ = (image.callee(pc), image.is_system_goroutine(pc));
            let open_coded = image.open_coded(pc);
            let _ = open_coded.map(|info| (info.bits_offset(), info.slot_offset(random.u32(..))));
            let entry = image.function_at(pc).map(|function| function.entry);
            let _ = entry.map(|entry| image.callee(entry));
        }
        true
    }

    /// The oldest and the newest layout, fixed and position independent.
    fn programs() -> Vec<Program> {
        let toolchains = toolchains();
        let ends = [toolchains.first(), toolchains.last()];
        ends.into_iter()
            .flatten()
            .flat_map(|toolchain| {
                [Mode::Plain, Mode::Stripped, Mode::PieStripped, Mode::CgoPieStripped]
                    .map(|mode| Program::new(&build(toolchain, mode)))
            })
            .collect()
    }

    /// A line of the process's status about its address space, in which memory
    /// asked for and never touched counts as well. In bytes.
    fn memory(what: &str) -> u64 {
        let status = fs::read_to_string("/proc/self/status").expect("procfs");
        let line = status.lines().find_map(|line| line.strip_prefix(what));
        let number = line.and_then(|line| line.split_whitespace().next());
        number.and_then(|n| n.parse::<u64>().ok()).expect("a size in kB") << 10
    }
}
