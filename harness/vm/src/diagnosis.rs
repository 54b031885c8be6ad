//! Why a machine ended without an answer, in one line: from its console, the emulator's messages, and how the emulator ended.

use std::collections::VecDeque;
use std::os::unix::process::ExitStatusExt;
use std::process::ExitStatus;

use crate::qemu::PROGRAM_NAME;

/// How many lines of the console are kept: what a kernel writes when it panics, with its first line.
const LINES: usize = 64;

/// The last lines of the kernel's console.
#[derive(Debug, Default)]
pub(crate) struct Console {
    lines: VecDeque<String>,
    open: Vec<u8>,
}

impl Console {
    /// Takes more output in.
    pub(crate) fn feed(&mut self, bytes: &[u8]) {
        self.open.extend_from_slice(bytes);
        while let Some(end) = self.open.iter().position(|byte| *byte == b'\n') {
            let line: Vec<u8> = self.open.drain(..=end).collect();
            self.push(&line);
        }
    }

    fn push(&mut self, line: &[u8]) {
        let line = String::from_utf8_lossy(line).trim_end().to_owned();
        if line.is_empty() {
            return;
        }
        self.lines.push_back(line);
        if self.lines.len() > LINES {
            self.lines.pop_front();
        }
    }

    /// The lines, the unfinished last one among them.
    pub(crate) fn tail(&mut self) -> Vec<String> {
        let open = std::mem::take(&mut self.open);
        self.push(&open);
        self.lines.iter().cloned().collect()
    }
}

/// What the console says of the reason, in words that tell what to do.
pub(crate) fn of_console(tail: &[String], memory: u32) -> Option<String> {
    // A cgroup may well run out of what it is allowed.
    let says = |sign: &str| tail.iter().find(|line| line.contains(sign) && !line.contains("Memory cgroup"));
    let short_of_memory = ["Out of memory", "out of memory", "Initramfs unpacking failed", "No space left on device"];
    if short_of_memory.iter().any(|sign| says(sign).is_some()) {
        return Some(format!("it ran out of its {memory} MiB of memory; give it more with --memory"));
    }
    says("plimsoll: the machine gives up").or_else(|| says("Kernel panic")).map(|line| without_time(line).to_owned())
}

/// `[    1.234567] text` as `text`.
fn without_time(line: &str) -> &str {
    line.strip_prefix('[').and_then(|rest| rest.split_once("] ")).map_or(line, |(_, text)| text)
}

/// What the end of the emulator says of the reason.
pub(crate) fn of_emulator(status: ExitStatus, complaints: &str, memory: u32) -> Option<String> {
    if let Some(signal) = status.signal() {
        return Some(format!("{PROGRAM_NAME} was ended by signal {signal}"));
    }
    if complaints.contains("initrd is too large") {
        return Some(format!(
            "what it starts from does not fit into {memory} MiB of memory; give it more with --memory"
        ));
    }
    let last = complaints.lines().map(str::trim).rfind(|line| !line.is_empty());
    // One that is asked to end by a signal does so with success.
    last.filter(|line| !status.success() || line.contains("terminating on signal")).map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn console(text: &str) -> Vec<String> {
        let mut console = Console::default();
        text.as_bytes().chunks(3).for_each(|piece| console.feed(piece));
        console.tail()
    }

    #[test]
    fn the_tail_is_bounded_and_has_the_unfinished_line() {
        let text: String = (0..100).map(|number| format!("line {number}\r\n\r\n")).collect();
        let tail = console(&format!("{text}unfinished"));
        assert_eq!(tail.len(), LINES);
        assert_eq!((tail[0].as_str(), tail[LINES - 1].as_str()), ("line 37", "unfinished"));
    }

    #[test]
    fn the_reason_is_taken_from_the_console() {
        let panic = console("[    1.0] a line\n[    2.5] Kernel panic - not syncing: Attempted to kill init!\n");
        assert_eq!(of_console(&panic, 64).unwrap(), "Kernel panic - not syncing: Attempted to kill init!");
        let memory = console("[    1.0] Out of memory: Killed process 70 (plimsoll)\n[ 2.0] Kernel panic\n");
        assert!(of_console(&memory, 64).unwrap().contains("64 MiB"));
        assert_eq!(of_console(&console("all is well\n"), 64), None);
        assert_eq!(of_console(&console("Memory cgroup out of memory: Killed process 7 (probe)\n"), 64), None);
    }

    #[test]
    fn the_emulator_is_asked_when_the_console_is_silent() {
        assert_eq!(of_emulator(ExitStatus::from_raw(9), "", 64).unwrap(), "qemu-system-x86_64 was ended by signal 9");
        assert_eq!(of_emulator(ExitStatus::from_raw(1 << 8), "qemu: a\nqemu: b\n", 64).unwrap(), "qemu: b");
        assert_eq!(of_emulator(ExitStatus::from_raw(0), "qemu: warning: x\n", 64), None);
        let asked = "qemu-system-x86_64: terminating on signal 15 from pid 7 (timeout)\n";
        assert!(of_emulator(ExitStatus::from_raw(0), asked, 64).unwrap().contains("signal 15"));
        let large = "qemu: initrd is too large, cannot support.(max: 66945023, need 84933812)\n";
        assert!(of_emulator(ExitStatus::from_raw(1 << 8), large, 64).unwrap().contains("64 MiB"));
    }
}
