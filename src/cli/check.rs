//! `polytape check`: tries every source and the store, and says what was found, a line for each.

mod flow;
mod line;
mod probe;
mod servers;
mod sources;
mod store;

use futures::future::join_all;

use self::line::{Line, Verdict};
use super::{args::CheckArgs, environment, error::CliError, paths, print::print, screen};
use crate::config::load;

/// Checks everything that a run with this configuration would use.
pub(super) async fn run(args: CheckArgs) -> Result<(), CliError> {
    let file = paths::config_file(args.config.as_deref());
    let config = load(file.as_deref(), &environment::all()?)?;
    let data_dir = paths::data_dir(args.data_dir.as_deref())?;

    let found = file.map_or_else(|| "no file: defaults".to_owned(), |file| file.display().to_string());
    let found = config.warnings.iter().fold(Line::ok("config", found), |line, warning| line.warn(warning));
    let mut lines = vec![found];
    if let Err(error) = screen::look(&config.ui) {
        lines.push(Line::failed("keymap", error));
    }
    let nodes =
        join_all(sources::parts(&config).into_iter().map(|(section, name, part)| sources::node(section, name, part)));
    let (nodes, goldsky, markets) = tokio::join!(nodes, sources::goldsky(&config), sources::markets(&config));
    let served: Vec<String> = nodes.iter().flatten().map(|(_, world)| world.clone()).collect();
    match (&config.redis, &config.clickhouse) {
        (Some(redis), Some(clickhouse)) => {
            let (redis, clickhouse) = tokio::join!(servers::redis(redis), servers::clickhouse(clickhouse));
            lines.extend([redis, clickhouse].map(Line::of));
            lines.extend(store::data_dir(&data_dir));
        }
        _ => {
            let store = store::store(&data_dir, config.storage.min_free, served.first().map(String::as_str));
            lines.push(Line::of(store));
        }
    }
    let are_fit = lines.iter().all(|line| line.verdict != Verdict::Failed);
    lines.extend(nodes.into_iter().map(|node| Line::of(node.map(|(line, _)| line))));
    lines.extend(sources::one_chain(served));
    lines.extend(goldsky.unwrap_or_else(Some));
    lines.extend(markets);

    lines.iter().for_each(|line| print(&format!("{line}\n")));
    if args.flow {
        let flow = match are_fit {
            true => Line::of(flow::flow(&config, &data_dir).await),
            false => Line::failed("flow", "not tried: streams or tables are not fit"),
        };
        print(&format!("{flow}\n"));
        lines.push(flow);
    }
    let failed = lines.iter().filter(|line| line.verdict == Verdict::Failed).count();
    if failed > 0 { Err(CliError::Checks { failed, all: lines.len() }) } else { Ok(()) }
}
