//! The arguments, and the help that explains them.

use std::time::Duration;

use clap::{Args, Parser, Subcommand, ValueEnum};
use deferd_config::{Endpoint, Percent, Problem, Source};

const ABOUT: &str = "Watches Go's defer in live processes from outside, and runs OpenTelemetry pipelines";

const EXAMPLES: &str = "\
Examples:
  deferd demo                      watch a leaky Go service, built for you
  deferd snapshot 4711             what has process 4711 deferred just now?
  deferd probe 4711                where would probes stand in it, at what cost?
  deferd --config deferd.yaml      run the service
  deferd --config base.yaml --config site.yaml
                                   later files win; lists are replaced
  deferd --config deferd.yaml --set receivers.godefer.snapshot.interval=1s
  deferd validate --config deferd.yaml
                                   say all that is wrong with it, start nothing
  deferd rules test rules_test.yaml
                                   try threshold rules on recordings
  deferd reload --config deferd.yaml --dry-run
                                   what would the running service change?

Signals:
  SIGTERM, SIGINT  deliver what was accepted, then end; a second ends at once
  SIGHUP           read the configuration again; a broken one changes nothing
                   (so do changed files with service::reload::watch_files, and
                   `deferd reload` with service::admin)

Exit codes:
  0  done; a stopped service has delivered all that it had accepted
  1  the configuration is wrong, or the service could not start; reload: it
     was rejected, or the service cannot be reached
  2  the command line is wrong
  3  snapshot, probe: the process cannot be read; the message names the
     missing right and the command that gives it
  4  snapshot, probe: no such process, or it has ended meanwhile
  5  snapshot, probe: not a Go program, or not of Go 1.21 to 1.27, or damaged
  6  the service ended before all that it had accepted was delivered: the
     drain deadline passed, or a second signal came
A reason is one line on standard error.";

const RULES_TEST: &str = "\
A file of tests:
  threshold:                       # the processor's body, as in a configuration
    include: [default, \"${file:rules.yaml}\"]
  tests:
    - name: a leak fires after a minute
      input: leak.jsonl            # OTLP in JSON, one request per line, as the file exporter writes it
      fired: [{ name: DeferPendingGrows, severity: critical }]
      expect:
        - { at: 30s, alerts: [] }
        - { at: 90s, alerts: [{ name: DeferPendingGrows, labels: { code.line.number: '33' } }] }
Times count from the first point of the recording. `fired` and `alerts` list all alerts, and no others may fire.";

/// What was asked for.
#[derive(Debug, Parser)]
#[command(name = "deferd", version, about = ABOUT, after_help = EXAMPLES)]
#[command(args_conflicts_with_subcommands = true, disable_version_flag = true)]
pub(crate) struct Arguments {
    /// Print the version
    // The Collector's short form; clap's own is -V.
    #[arg(short, long, action = clap::ArgAction::Version)]
    version: Option<bool>,
    #[command(subcommand)]
    pub(crate) command: Option<Command>,
    #[command(flatten)]
    pub(crate) config: ConfigArguments,
    /// Keep all capabilities, and start no helper that has them instead
    #[arg(long)]
    pub(crate) keep_capabilities: bool,
}

/// Everything but running the service.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Check a configuration and start nothing: silent and 0, or one line per problem and 1
    Validate(ConfigArguments),
    /// Make a running service read its configuration again, or say what that would do
    Reload(ReloadArguments),
    /// Try threshold rules on recordings, or look at the ones that come with this binary
    #[command(subcommand)]
    Rules(RulesCommand),
    /// List the components of this binary, as YAML
    Components,
    /// Look once at a Go process and show its pending defers
    Snapshot(SnapshotArguments),
    /// Say where probes would stand in a Go process and what they would cost, and place none
    Probe(ProbeArguments),
    /// Watch a leaky Go service, built and started for the purpose
    Demo(DemoArguments),
    /// What the service starts to keep its rights
    #[command(hide = true)]
    TargetHelper,
    /// What the service starts to hold its breakpoints
    #[command(hide = true)]
    ProbeKeeper,
}

/// What to do with rules.
#[derive(Debug, Subcommand)]
pub(crate) enum RulesCommand {
    /// Run recordings through rules and compare what fires: 0 if everything comes out as expected, else 1
    #[command(after_help = RULES_TEST)]
    Test {
        /// Files of tests
        #[arg(required = true, value_name = "FILE")]
        files: Vec<String>,
    },
    /// Check rule files: one line per problem and 1, or 0
    Check {
        /// Rule files: maps with `rules` and `log_rules`
        #[arg(required = true, value_name = "FILE")]
        files: Vec<String>,
    },
    /// Print a rule pack of this binary
    Show {
        /// Name of the pack: default or classic
        #[arg(default_value = "default")]
        pack: String,
    },
}

/// Where a configuration comes from.
#[derive(Debug, Args)]
pub(crate) struct ConfigArguments {
    #[arg(long, value_name = "FILE", help = "Configuration file, or file:PATH, env:NAME, yaml:TEXT; repeatable, later ones win")]
    config: Vec<String>,
    /// Set one value, over all files; repeatable. Example: --set exporters.debug.verbosity=detailed
    #[arg(long, value_name = "KEY=VALUE")]
    set: Vec<String>,
    /// Accepted for the Collector's sake; no effect
    #[arg(long, value_name = "GATES")]
    pub(crate) feature_gates: Option<String>,
}

const RELOAD_EXAMPLES: &str = "\
The service listens if its configuration says so, with a token of yours:
  service:
    admin: { token_file: /etc/deferd/admin-token }

Examples:
  deferd reload --config deferd.yaml            read it again, show what changed
  deferd reload --config deferd.yaml --dry-run  show what would change
  deferd reload --config deferd.yaml --dry-run --candidate new.yaml
                                                the same for another file
  deferd reload --endpoint localhost:13134 --token-file /etc/deferd/admin-token
  deferd reload --config new.yaml --against deferd.yaml
                                                compare two files, no service

Exit codes:
  0  applied, or would be
  1  rejected, with one line per problem, and nothing has changed; or the
     service cannot be reached
  2  the command line is wrong";

/// Whom to ask, and for what.
#[derive(Debug, Args)]
#[command(after_help = RELOAD_EXAMPLES)]
pub(crate) struct ReloadArguments {
    #[command(flatten)]
    pub(crate) config: ConfigArguments,
    /// Where the service listens, in place of the address in the configuration
    #[arg(long, value_name = "HOST:PORT")]
    pub(crate) endpoint: Option<Endpoint>,
    /// File with the token, in place of the configuration's
    #[arg(long, value_name = "FILE")]
    pub(crate) token_file: Option<String>,
    /// Say what would change, and change nothing
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// With --dry-run: plan this file, not the one that the service reads. Files that it refers to must be in use already
    #[arg(long, value_name = "FILE", requires = "dry_run")]
    pub(crate) candidate: Option<String>,
    /// Compare with this configuration, without a service: what would lead from it to --config; repeatable as --config
    #[arg(long, value_name = "FILE", requires = "config", conflicts_with_all = ["endpoint", "token_file", "candidate"])]
    pub(crate) against: Vec<String>,
    /// Print one JSON object in place of a list
    #[arg(long)]
    pub(crate) json: bool,
}

/// What to look at.
#[derive(Debug, Args)]
pub(crate) struct SnapshotArguments {
    /// Process id
    #[arg(value_name = "PID")]
    pub(crate) pid: u32,
    /// Print one JSON object instead of a table
    #[arg(long)]
    pub(crate) json: bool,
}

const PROBE_EXAMPLES: &str = "\
A probe is a breakpoint that the kernel handles. Where it emulates the
instruction a hit costs the process about 0.5 us, else some 9 us, so that
deferd places none there. All probes of a process together stay within
max_target_overhead; what would go over it is measured in short windows.

  panics  stands always; a hit is a panic, a recovery, a Goexit or a fatal error
  rates   stands always where its hits are paid for, else in windows; a hit is
          the return of a function whose defers are not open-coded
  files   stands only while the open files of the process grow
  timer   is no breakpoint: it samples what runs, 99 times a second

Examples:
  deferd probe 4711
  deferd probe 4711 --max-target-overhead 0.2%
  deferd probe 4711 --format json | jq '.probes[] | select(.reason)'
                                   what cannot be seen of it, and why";

/// What to look at.
#[derive(Debug, Args)]
#[command(after_help = PROBE_EXAMPLES)]
pub(crate) struct ProbeArguments {
    /// Process id
    #[arg(value_name = "PID")]
    pub(crate) pid: u32,
    /// Form of the answer; keys of the object are only ever added
    #[arg(long, value_enum, default_value_t = Format::Table)]
    pub(crate) format: Format,
    /// What all probes together may take of the CPU time that the process uses, as in the configuration
    #[arg(long, value_name = "PERCENT", default_value = "1%", value_parser = share)]
    pub(crate) max_target_overhead: Percent,
}

/// Form of an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// For people
    Table,
    /// One JSON object
    Json,
}

/// How the demonstration runs.
#[derive(Debug, Args)]
pub(crate) struct DemoArguments {
    /// How long to watch, such as 90s or 5m; 0 is until Ctrl-C
    #[arg(long, value_name = "TIME", default_value = "60s", value_parser = duration)]
    pub(crate) duration: Duration,
}

impl ConfigArguments {
    /// The layers in the order in which they are merged: files as given, then single values.
    pub(crate) fn sources(&self) -> Result<Vec<Source>, Problem> {
        let files = self.config.iter().map(|argument| Source::from_config_flag(argument));
        let values = self.set.iter().map(|argument| Source::from_set_flag(argument));
        // A value alone is no configuration, as in the Collector: with nothing to merge it into, the message is about that.
        if self.config.is_empty() {
            return Ok(Vec::new());
        }
        files.chain(values).collect()
    }
}

fn share(text: &str) -> Result<Percent, String> {
    let share: Percent = text.parse().map_err(|error: deferd_config::ValueError| error.to_string())?;
    if share.get() > 100.0 { Err(format!("{share} is not in 0%..=100%")) } else { Ok(share) }
}

fn duration(text: &str) -> Result<Duration, deferd_config::ValueError> {
    Ok(text.parse::<deferd_config::Duration>()?.get())
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn the_definition_is_consistent() {
        Arguments::command().debug_assert();
    }

    #[test]
    fn files_come_before_single_values() {
        let arguments = Arguments::parse_from(["deferd", "--set", "a.b=1", "--config", "x.yaml", "--config", "yaml:c: 2"]);
        let expected =
            [Source::File("x.yaml".into()), Source::Yaml("c: 2".into()), Source::Set { key: "a.b".into(), value: "1".into() }];
        assert_eq!(arguments.config.sources().unwrap(), expected);
    }
}
