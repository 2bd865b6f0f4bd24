use std::io::{self, Write};
use std::path::Path;

use bytes::Bytes;
use deferd_component::testing::{context, document};
use deferd_component::{ComponentId, Kind};
use deferd_pdata::build::{LogsBuilder, MetricsBuilder, NumberPoint, Record};

use super::recording::{Lines, Target};
use super::*;

fn id() -> ComponentId {
    "file".parse().unwrap()
}

fn build(body: &str) -> Result<ToFile, BuildError> {
    let config = document(Kind::Exporter, &id(), body).decode(Kind::Exporter, &id()).unwrap();
    Factory::build(config, Arc::default(), &context(Kind::Exporter, &id(), &[Signal::Metrics]))
}

fn to(path: &Path, more: &str) -> ToFile {
    build(&format!("{{path: {:?}{more}}}", path.display().to_string())).unwrap()
}

fn metrics(name: &str) -> Batch {
    let mut request = MetricsBuilder::default();
    request.resource(&[], |resource| {
        resource.scope("s", "", |scope| scope.gauge(name, "", "", |points| points.add(&NumberPoint::new(&[], 1, 1))));
    });
    Batch::new(Signal::Metrics, request.finish(), 1)
}

fn logs() -> Batch {
    let mut request = LogsBuilder::default();
    request.resource(&[], |resource| resource.scope("s", "", |scope| scope.add(&Record::default())));
    Batch::new(Signal::Logs, request.finish(), 1)
}

/// The name of each line's metric, or its signal.
fn lines(path: &Path) -> Vec<String> {
    let text = std::fs::read_to_string(path).unwrap();
    let name = |bytes: &Bytes| {
        let mut resources = deferd_pdata::metrics::Request::new(bytes).resources();
        resources.find_map(|resource| Some(resource.scopes().next()?.items().next()?.name.to_string()))
    };
    text.lines()
        .map(|line| match json::decode_any(line).unwrap() {
            (Request::Metrics, bytes) => name(&bytes).unwrap(),
            (other, _) => format!("{other:?}"),
        })
        .collect()
}

#[tokio::test]
async fn each_batch_is_a_line_that_can_be_read_back() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("out.jsonl");
    let exporter = to(&path, "");
    let mut merged = metrics("a");
    merged.merge(metrics("b")).unwrap();
    exporter.export(&merged).await.unwrap();
    exporter.export(&metrics("c")).await.unwrap();
    exporter.export(&logs()).await.unwrap();
    assert_eq!(lines(&path), ["a", "c", "Logs"]);
    let first = std::fs::read_to_string(&path).unwrap();
    assert_eq!(first.lines().next().unwrap().matches("scopeMetrics").count(), 2);
}

#[tokio::test]
async fn a_file_is_begun_anew_with_the_first_line_unless_it_is_appended_to() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("out.jsonl");
    to(&path, "").export(&metrics("old")).await.unwrap();
    let exporter = to(&path, ", append: true");
    exporter.export(&metrics("more")).await.unwrap();
    drop(exporter);
    assert_eq!(lines(&path), ["old", "more"]);
    // Building alone changes nothing: the configuration may still be given up.
    let exporter = to(&path, "");
    assert_eq!(lines(&path), ["old", "more"]);
    exporter.export(&metrics("new")).await.unwrap();
    assert_eq!(lines(&path), ["new"]);
}

#[tokio::test]
async fn exporters_of_one_path_share_it_and_lose_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("out.jsonl");
    let former = to(&path, "");
    former.export(&metrics("1")).await.unwrap();
    let next = to(&folder.path().join(".").join("out.jsonl"), "");
    next.export(&logs()).await.unwrap();
    former.export(&metrics("2")).await.unwrap();
    drop(former);
    next.export(&metrics("3")).await.unwrap();
    assert_eq!(lines(&path), ["1", "Logs", "2", "3"]);
}

#[tokio::test]
async fn many_at_once_do_not_mix_their_lines() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("out.jsonl");
    let exporter = Arc::new(to(&path, ""));
    let names: Vec<String> = (0..200).map(|number| number.to_string().repeat(500)).collect();
    let tasks: Vec<_> = names.iter().map(|name| (Arc::clone(&exporter), metrics(name))).collect();
    let tasks: Vec<_> = tasks.into_iter().map(|(to, batch)| tokio::spawn(async move { to.export(&batch).await })).collect();
    for task in tasks {
        task.await.unwrap().unwrap();
    }
    let (mut found, mut names) = (lines(&path), names);
    found.sort();
    names.sort();
    assert_eq!(found, names);
}

#[tokio::test]
async fn a_full_file_becomes_a_backup_and_old_backups_go() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("out.jsonl");
    std::fs::write(folder.path().join("out-of-it.jsonl"), "kept").unwrap();
    let exporter = to(&path, ", rotation: {max_megabytes: 1, max_backups: 2}");
    // Two lines of 0.6 MiB do not fit into one file.
    for number in 0..5 {
        exporter.export(&metrics(&number.to_string().repeat(600 << 10))).await.unwrap();
    }
    let mut files: Vec<_> = std::fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    assert_eq!(files.len(), 4, "{files:?}");
    let first = |path: &Path| std::fs::read_to_string(path).unwrap().split("\"name\":\"").nth(2).unwrap()[..1].to_owned();
    assert_eq!([first(&files[0]), first(&files[1]), first(&path)], ["2", "3", "4"]);
}

#[tokio::test]
async fn a_full_disk_is_tried_again_and_malformed_data_is_not() {
    let exporter = to(Path::new("/dev/full"), "");
    let error = exporter.export(&metrics("a")).await.unwrap_err();
    assert!(matches!(&error, ExportError::Retryable { message, .. } if message.contains("No space left")), "{error:?}");
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("out.jsonl");
    let malformed = Batch::new(Signal::Metrics, Bytes::from_static(&[0x0a, 9]), 1);
    let error = to(&path, "").export(&malformed).await.unwrap_err();
    assert!(matches!(error, ExportError::Permanent { .. }), "{error:?}");
    assert_eq!(lines(&path), [""; 0]);
}

/// Takes so many bytes and then fails.
#[derive(Debug)]
struct Limited {
    text: Vec<u8>,
    room: usize,
    cuts: bool,
}

impl Write for Limited {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let taken = bytes.len().min(self.room);
        if taken == 0 {
            return Err(io::ErrorKind::StorageFull.into());
        }
        self.room -= taken;
        self.text.extend_from_slice(&bytes[..taken]);
        Ok(taken)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Target for &mut Limited {
    fn cut(&mut self, size: u64) -> io::Result<()> {
        if !self.cuts {
            return Err(io::ErrorKind::PermissionDenied.into());
        }
        self.text.truncate(usize::try_from(size).unwrap());
        Ok(())
    }
}

#[test]
fn a_line_that_did_not_fit_leaves_nothing_or_at_worst_a_line_of_its_own() {
    for (cuts, expected) in [(true, "one\ntwo\n"), (false, "one\ntw\ntwo\n")] {
        let mut target = Limited { text: Vec::new(), room: 6, cuts };
        let mut lines = Lines::new(&mut target, 0, false);
        lines.add("one").unwrap();
        lines.add("two").unwrap_err();
        lines.make_room(100);
        lines.add("two").unwrap();
        assert_eq!(String::from_utf8(target.text).unwrap(), expected);
    }
}

impl Lines<&mut Limited> {
    fn make_room(&mut self, room: usize) {
        self.target_mut().room = room;
    }
}

#[test]
fn what_is_wrong_is_said_as_the_collector_says_it() {
    let problems = |body: &str| {
        let refused = document(Kind::Exporter, &id(), body).decode::<Config>(Kind::Exporter, &id()).unwrap_err();
        refused.into_iter().map(|problem| format!("{}: {}", problem.path, problem.message)).collect::<Vec<_>>()
    };
    assert_eq!(problems("{append: true}"), ["exporters::file::path: path must be non-empty"]);
    let expected = "exporters::file::rotation: append and rotation enabled at the same time is not supported";
    assert_eq!(problems("{path: a, append: true, rotation: {}}"), [expected]);
    let found = problems("{path: a, format: proto}");
    assert!(found[0].contains("format type is not supported: proto, must be json"), "{found:?}");
}

#[test]
fn a_path_that_cannot_be_written_is_said_at_build() {
    let folder = tempfile::tempdir().unwrap();
    let missing = folder.path().join("no/such/out.jsonl");
    let error = build(&format!("{{path: {:?}}}", missing.display().to_string())).unwrap_err().to_string();
    assert!(error.starts_with("cannot open ") && error.contains("No such file or directory"), "{error}");
    to(&missing, ", create_directory: true");
    assert!(missing.exists());
}
