//! The engine: it drives a runtime, observes what comes of it, guards the host, and runs checks side by side. It knows
//! no clause and no check; `plimsoll-suites` brings those.
//!
//! A check's way: [`schedule`] picks it, [`isolate`] sets a process apart for it, [`conduct`] carries it out on a
//! [`lab`] with a [`driver`], [`container`]s, an [`observer`] and a [`guard`], and weighs what was found.
#![cfg_attr(test, expect(clippy::disallowed_methods, reason = "tests read what they wrote"))]

pub mod cgroup;
pub mod channel;
pub mod check;
mod choice;
pub mod clean;
pub mod company;
pub mod conduct;
pub mod console;
pub mod container;
pub mod crew;
pub mod disk;
pub mod driver;
pub mod evidence;
pub mod fault;
pub mod foreground;
mod grounds;
pub mod guard;
pub mod held;
pub mod holder;
pub mod host;
mod host_changes;
mod host_lock;
pub mod isolate;
pub mod judgement;
pub mod keep;
mod kernel_fs;
pub mod lab;
pub mod layers;
pub mod life;
pub mod listener;
pub mod manager;
pub mod meeting;
pub mod need;
pub mod network;
pub mod observer;
pub mod orphans;
pub mod patience;
mod place;
mod private_dev;
pub mod process;
pub mod profile;
pub mod refusal;
pub mod release;
pub mod result_channel;
pub mod run_id;
pub mod schedule;
pub mod self_report;
pub mod settings;
pub mod shown;
pub mod sys;
pub mod trial;
pub mod workplace;
