//! A process that lives in a cgroup and does what it is told: this same test program, started again.

use std::io::{BufRead, BufReader, Read, Write};
use std::os::unix::process::ExitStatusExt;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use plimsoll_runtime::cgroup::Cgroup;

const TEST: &str = "member::member";

/// The process. It is killed and reaped with its owner.
pub struct MemberProcess {
    child: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
}

impl MemberProcess {
    /// Starts one in the cgroup. It is created there on version 1, since a thread that has joined hands its cgroups on; on
    /// version 2, where a plain fork cannot do that, it is moved.
    pub fn start(cgroup: &dyn Cgroup, unified: Option<&std::path::Path>) -> Self {
        let entry = cgroup.entry(None).unwrap();
        let spawn = move || {
            entry.join().unwrap();
            Command::new("/proc/self/exe")
                .args([TEST, "--exact", "--ignored", "--nocapture", "--test-threads=1"])
                .stdin(Stdio::piped())
                .stdout(Stdio::piped())
                .spawn()
                .unwrap()
        };
        let mut child = std::thread::spawn(spawn).join().unwrap();
        if let Some(dir) = unified {
            std::fs::write(dir.join("cgroup.procs"), child.id().to_string()).unwrap();
        }
        let (input, output) = (child.stdin.take().unwrap(), BufReader::new(child.stdout.take().unwrap()));
        Self { child, input, output }
    }

    pub fn pid(&self) -> i32 {
        self.child.id().cast_signed()
    }

    /// Gives an order and returns the answer, which is nothing when the process died of it.
    pub fn tell(&mut self, order: &str) -> String {
        writeln!(self.input, "{order}").unwrap();
        let lines = self.output.by_ref().lines().map_while(Result::ok);
        lines.filter_map(|line| line.strip_prefix("member: ").map(str::to_owned)).next().unwrap_or_default()
    }

    /// Reaps the process and returns the signal that it died of.
    pub fn died_of(&mut self) -> Option<i32> {
        self.child.wait().unwrap().signal()
    }
}

impl Drop for MemberProcess {
    fn drop(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

/// What the process does: `open PATH` says `ok` or the errno, `fill BYTES` uses memory.
#[test]
#[ignore = "not a test: the process that the other tests put into cgroups"]
fn member() {
    let mut kept = Vec::new();
    for line in std::io::stdin().lines().map_while(Result::ok) {
        let answer = match line.split_once(' ') {
            Some(("open", path)) => match std::fs::File::open(path) {
                Ok(_) => "ok".to_owned(),
                Err(error) => error.raw_os_error().unwrap_or_default().to_string(),
            },
            Some(("fill", bytes)) => {
                kept.push(vec![1_u8; bytes.parse().unwrap()]);
                kept.len().to_string()
            }
            _ => format!("cannot {line}"),
        };
        println!("\nmember: {answer}");
    }
}
