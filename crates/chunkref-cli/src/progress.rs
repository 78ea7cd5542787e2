// SPDX-License-Identifier: MIT OR Apache-2.0
//! How far many inputs are.

use std::time::{Duration, Instant};

use chunkref::store::Cost;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use serde_json::json;

use crate::console::Console;
use crate::table::{bytes, grouped};

/// Time between two lines of progress in JSON.
const INTERVAL: Duration = Duration::from_secs(1);

/// How far many inputs are: a bar for people, lines for programs, nothing for files.
pub(crate) struct Progress {
    bar: ProgressBar,
    total: usize,
    done: usize,
    failed: usize,
    /// Inputs from servers that send no parts of objects.
    whole: usize,
    cost: Cost,
    start: Instant,
    last_line: Option<Instant>,
}

impl Progress {
    pub(crate) fn new(console: &Console<'_>, total: usize) -> Self {
        let bar = if total < 2 || !console.shows_progress() {
            ProgressBar::hidden()
        } else {
            let target = ProgressDrawTarget::stderr();
            let style = "{bar:30} {pos}/{len} files, {elapsed} so far, {eta} to go{msg}";
            let style = ProgressStyle::with_template(style);
            let style = style.unwrap_or_else(|_| ProgressStyle::default_bar());
            ProgressBar::with_draw_target(Some(total as u64), target).with_style(style)
        };
        let start = Instant::now();
        let last_line = console.logs_json().then_some(start);
        Self { bar, total, done: 0, failed: 0, whole: 0, cost: Cost::default(), start, last_line }
    }

    /// One more input is finished.
    pub(crate) fn advance(&mut self, console: &mut Console<'_>, failed: bool, cost: Cost) {
        self.done += usize::from(!failed);
        self.failed += usize::from(failed);
        self.whole += usize::from(cost.whole_objects > 0);
        self.cost += cost;
        self.bar.inc(1);
        self.bar.set_message(self.words());
        if self.last_line.is_some_and(|last| last.elapsed() >= INTERVAL) {
            self.last_line = Some(Instant::now());
            self.line(console);
        }
    }

    /// Calls `act` with the bar out of the way.
    pub(crate) fn suspend(&self, act: impl FnOnce()) {
        self.bar.suspend(act);
    }

    /// The last line, and no bar any more.
    pub(crate) fn finish(&self, console: &mut Console<'_>) {
        self.bar.finish_and_clear();
        if self.last_line.is_some() {
            self.line(console);
        }
        if self.whole > 0 {
            let words = format!(
                "{} inputs came from servers that ignore that a part of an object is asked for (HTTP Range); most readers \
                 cannot read references to them: copy the files to a store that sends parts",
                self.whole
            );
            if console.logs_json() {
                console
                    .event(json!({ "level": "warn", "event": "whole_objects", "message": words }));
            } else {
                console.note(&format!("warning: {words}\n"));
            }
        }
    }

    fn words(&self) -> String {
        let failed = match self.failed {
            0 => String::new(),
            failed => format!(", {failed} failed"),
        };
        let read = if self.cost.requests == 0 {
            String::new()
        } else {
            let (requests, read) = (grouped(self.cost.requests), bytes(self.cost.bytes));
            format!(", {requests} requests, {read} ({}/s)", bytes(self.rate(self.cost.bytes)))
        };
        format!("{failed}{read}")
    }

    fn line(&self, console: &mut Console<'_>) {
        let seconds = self.start.elapsed().as_secs_f64();
        let finished = self.done + self.failed;
        #[expect(clippy::cast_precision_loss, reason = "an estimate")]
        let to_go = (finished > 0)
            .then(|| seconds / finished as f64 * self.total.saturating_sub(finished) as f64);
        console.event(json!({
            "level": "info",
            "event": "progress",
            "files": self.total,
            "done": self.done,
            "failed": self.failed,
            "requests": self.cost.requests,
            "bytes": self.cost.bytes,
            "bytes_per_second": self.rate(self.cost.bytes),
            "elapsed_seconds": seconds,
            "eta_seconds": to_go,
        }));
    }

    /// So much a second.
    fn rate(&self, count: u64) -> u64 {
        let milliseconds = u64::try_from(self.start.elapsed().as_millis()).unwrap_or(u64::MAX);
        count.saturating_mul(1000).checked_div(milliseconds).unwrap_or(count)
    }
}
