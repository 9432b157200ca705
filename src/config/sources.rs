//! Where settings come from: the command line, the environment and a file, behind one question.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, IsTerminal, Read};
use std::path::{Path, PathBuf};

use super::env_file::{self, EnvFile};
use super::report::Notes;

/// Bytes of a file of settings or of a secret; what is longer is another kind of file.
const FILE_BYTES_MAX: u64 = 1 << 20;
/// The kernel's default for `fs.nr_open`: what "unlimited" files come to.
const FILES_UNLIMITED: u64 = 1 << 20;

/// Everything that settings are read from. Not `Debug`: it holds secrets.
#[derive(Clone)]
pub struct Sources {
    /// Flags as they were given, by the setting's name (`HTTP_PORT`). They win over the rest.
    pub flags: BTreeMap<String, String>,
    /// The environment. It wins over the file.
    pub environment: BTreeMap<String, String>,
    /// The file that was asked for; it must be there.
    pub env_file: Option<PathBuf>,
    /// Read when no other file was asked for, if it is there.
    pub default_env_file: Option<PathBuf>,
    /// What defaults depend on.
    pub machine: Machine,
}

/// The facts of the machine that defaults depend on.
#[derive(Clone, Copy, Debug)]
pub struct Machine {
    /// Whether standard output is a terminal.
    pub stdout_is_terminal: bool,
    /// The hard limit of open files.
    pub files_max: u64,
    /// Cores that this process may use, at least 1; a cgroup's quota counts.
    pub cores: usize,
    /// Memory that this process may use, in bytes; a cgroup's limit counts.
    pub memory_bytes: u64,
}

impl Sources {
    /// The flags, this process' environment, and `env_file`, or else `.env` in the working directory.
    pub fn of_process(flags: BTreeMap<String, String>, env_file: Option<PathBuf>) -> Self {
        let environment = std::env::vars_os()
            .map(|(name, value)| (name.to_string_lossy().into_owned(), value.to_string_lossy().into_owned()))
            .collect();
        Self { flags, environment, env_file, default_env_file: Some(PathBuf::from(".env")), machine: Machine::here() }
    }

    fn file_path(&self) -> Option<&Path> {
        self.env_file.as_deref().or(self.default_env_file.as_deref())
    }

    /// Reads the file; its faults and warnings are noted.
    pub(super) fn read_env_file(&self, notes: &mut Notes) -> EnvFile {
        let Some(path) = self.file_path() else { return EnvFile::default() };
        let bytes = match read_bounded(path) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == io::ErrorKind::NotFound && self.env_file.is_none() => {
                return EnvFile::default();
            }
            Err(error) => {
                notes.fault(
                    None,
                    Some(&path.display().to_string()),
                    format!("cannot read the file of settings: {error}"),
                );
                return EnvFile::default();
            }
        };
        let file = env_file::parse(&bytes);
        for (line, problem) in &file.faults {
            notes.fault(None, Some(&place_in_file(self, *line)), problem);
        }
        for (line, text) in &file.warnings {
            notes.warn(&place_in_file(self, *line), text);
        }
        file
    }
}

impl Machine {
    /// The machine that this process runs on.
    pub fn here() -> Self {
        let files = rustix::process::getrlimit(rustix::process::Resource::Nofile);
        Self {
            stdout_is_terminal: io::stdout().is_terminal(),
            files_max: files.maximum.unwrap_or(FILES_UNLIMITED),
            cores: std::thread::available_parallelism().map_or(1, Into::into),
            memory_bytes: super::memory::here(),
        }
    }
}

/// A file and a line of it, as messages name it.
pub(super) fn place_in_file(sources: &Sources, line: usize) -> String {
    let path = sources.file_path().unwrap_or(Path::new(""));
    format!("{}:{line}", path.display())
}

/// Reads a file that a person wrote.
///
/// # Errors
/// It cannot be read, or is longer than a mebibyte.
pub(super) fn read_bounded(path: &Path) -> io::Result<Vec<u8>> {
    bounded(File::open(path)?)
}

/// Reads to the end of what a person wrote.
///
/// # Errors
/// It cannot be read, or is longer than a mebibyte.
pub fn bounded(reader: impl Read) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    reader.take(FILE_BYTES_MAX + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > FILE_BYTES_MAX {
        return Err(io::Error::new(io::ErrorKind::FileTooLarge, "it is longer than a mebibyte"));
    }
    Ok(bytes)
}

/// One place that settings come from.
pub(super) trait Source {
    /// What this place says of a name.
    fn get(&self, name: &str) -> Option<Given<'_>>;
}

/// A text and where it stands.
pub(super) struct Given<'a> {
    pub(super) text: &'a str,
    pub(super) place: String,
}

/// The command line.
pub(super) struct Flags<'a>(pub(super) &'a BTreeMap<String, String>);

impl Source for Flags<'_> {
    fn get(&self, name: &str) -> Option<Given<'_>> {
        let text = self.0.get(name)?;
        Some(Given { text, place: format!("--{}", name.to_ascii_lowercase().replace('_', "-")) })
    }
}

/// The environment.
pub(super) struct Environment<'a>(pub(super) &'a BTreeMap<String, String>);

impl Source for Environment<'_> {
    fn get(&self, name: &str) -> Option<Given<'_>> {
        Some(Given { text: self.0.get(name)?, place: "environment".to_owned() })
    }
}

/// The file.
pub(super) struct Lines<'a> {
    pub(super) sources: &'a Sources,
    pub(super) file: &'a EnvFile,
}

impl Source for Lines<'_> {
    fn get(&self, name: &str) -> Option<Given<'_>> {
        let entry = self.file.get(name)?;
        Some(Given { text: &entry.value, place: place_in_file(self.sources, entry.line) })
    }
}
