//! Process groups. Every function runs in a group of its own, so that ending it ends what it started. A guard
//! process ends all groups when the emulator dies without warning (`kill -9`): a shell that reads the groups
//! from a pipe and kills them when the pipe closes.

use std::io::{self, Write};
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::{Arc, Mutex, PoisonError};

use rustix::io::Errno;
use rustix::process::{Pid, Signal, kill_process_group};

/// Reads `+ GROUP`, `- GROUP` and `d DIRECTORY` lines. At the end of the pipe it kills the groups and removes
/// the directories. The signals of a terminal do not end it.
const GUARD: &str = r#"
trap '' INT TERM HUP
groups=" "
set --
while read -r kind value; do
    case $kind in
        +) groups="$groups$value " ;;
        -) groups="${groups%% $value *} ${groups#* $value }" ;;
        d) set -- "$@" "$value" ;;
    esac
done
for group in $groups; do kill -s KILL -- "-$group" 2>/dev/null; done
for directory in "$@"; do rm -rf -- "$directory"; done
"#;

/// The guard of one emulator. A clone is another handle on the same guard; when the last handle is dropped,
/// or the emulator's process ends, the guard kills the groups that are left and removes the directories.
#[derive(Clone)]
pub(super) struct Guard(Arc<Mutex<Shell>>);

struct Shell {
    child: Child,
    /// Taken when the guard is dropped, which closes the pipe.
    pipe: Option<ChildStdin>,
}

impl Guard {
    /// Starts the guard's process.
    pub(super) fn start() -> io::Result<Self> {
        let mut child = Command::new("/bin/sh")
            .args(["-c", GUARD])
            .current_dir("/")
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .process_group(0)
            .spawn()?;
        let pipe = child.stdin.take();
        Ok(Self(Arc::new(Mutex::new(Shell { child, pipe }))))
    }

    /// Adds the group of a process that was started with `process_group(0)`.
    pub(super) fn add(&self, group: u32) {
        self.write(&format!("+ {group}"));
    }

    /// Removes a group whose processes have ended.
    pub(super) fn remove(&self, group: u32) {
        self.write(&format!("- {group}"));
    }

    /// Adds a directory that is removed at the end.
    pub(super) fn add_directory(&self, directory: &Path) {
        self.write(&format!("d {}", directory.display()));
    }

    fn write(&self, line: &str) {
        let mut shell = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(pipe) = &mut shell.pipe else { return };
        // One write per line, so that a kill of the emulator leaves no half line.
        if let Err(error) = pipe.write_all(format!("{line}\n").as_bytes()) {
            tracing::warn!(%error, "the guard of the function processes has ended");
        }
    }
}

impl Drop for Shell {
    fn drop(&mut self) {
        drop(self.pipe.take());
        // The guard ends as soon as its pipe is closed.
        let _ = self.child.wait();
    }
}

/// Kills every process of a group. A group that is gone is no error.
pub(super) fn kill(group: u32) {
    let Some(pid) = i32::try_from(group).ok().and_then(Pid::from_raw) else { return };
    match kill_process_group(pid, Signal::KILL) {
        Ok(()) | Err(Errno::SRCH) => {}
        Err(error) => tracing::warn!(group, %error, "cannot kill the process group"),
    }
}
