//! The `megrez` program: one module a command, thin over the library.

mod args;
mod commands;
mod error;
mod input;
mod progress;
mod table;
mod truth;

use std::io::Write;
use std::process::ExitCode;

use clap::{CommandFactory, Parser};

use args::{Cli, Command};
use commands::monitor::Outcome;
use error::CliError;

/// Exit code when everything worked, but no satellite or no position was found.
const NOTHING_FOUND: u8 = 3;

fn main() -> ExitCode {
    let cli = Cli::parse();
    match dispatch(cli) {
        Ok(Outcome::Still) => ExitCode::SUCCESS,
        Ok(Outcome::Nothing) => ExitCode::from(NOTHING_FOUND),
        Ok(Outcome::Moved) => ExitCode::from(DISPLACEMENT),
        // A reader such as `head` that closed the pipe has all it wanted.
        Err(error) if error.is_broken_pipe() => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {}", error.message);
            if let Some(hint) = error.hint {
                eprintln!("hint: {hint}");
            }
            ExitCode::FAILURE
        }
    }
}

/// Exit code of `monitor` when it found a displacement.
const DISPLACEMENT: u8 = 4;

/// Runs a command.
fn dispatch(cli: Cli) -> Result<Outcome, CliError> {
    if let Some(threads) = cli.threads {
        // Fails only if a pool exists already, which nothing before this makes.
        rayon::ThreadPoolBuilder::new()
            .num_threads(threads.into())
            .build_global()
            .map_err(|e| CliError::new(format!("cannot start {threads} threads: {e}")))?;
    }
    let found = match cli.command {
        Command::Monitor(args) => return commands::monitor::run(&args),
        Command::Demo(args) => commands::demo::run(&args),
        Command::Run(args) => commands::run::run(&args),
        Command::Acquire(args) => commands::acquire::run(&args),
        Command::Snapshot(args) => commands::snapshot::run(&args),
        Command::Solve(args) => commands::solve::run(&args),
        Command::Simulate(args) => commands::simulate::run(&args),
        Command::Info(args) => commands::info::run(&args),
        Command::Bench(args) => commands::bench::run(&args),
        Command::Completions { shell } => {
            // The generator panics when a write fails, so it writes to memory.
            let mut script = Vec::new();
            clap_complete::generate(shell, &mut Cli::command(), "megrez", &mut script);
            std::io::stdout().write_all(&script)?;
            Ok(true)
        }
    }?;
    Ok(if found { Outcome::Still } else { Outcome::Nothing })
}
