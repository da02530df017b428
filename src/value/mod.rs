//! How values are written where something is configured. What is wrong is told in words of our own.
//!
//! A section names the reader of each of its fields: `#[serde(with = "value::duration")]`.

pub(crate) mod address;
pub(crate) mod any_bytes;
pub(crate) mod bytes;
pub(crate) mod duration;
mod given;
pub(crate) mod level;
mod number;
mod switch;
mod text;
mod url;
pub(crate) mod urls;
mod web;

pub(crate) use duration::{parse_duration, show_duration};
pub(crate) use given::{Given, choice};
pub(crate) use number::{batch, files, page, rate, rows};
pub(crate) use switch::switch;
pub(crate) use text::{name, password, path, secret, text};
pub(crate) use url::{api_url, clickhouse_url, redis_url};
pub(crate) use web::{hosts, listen};
