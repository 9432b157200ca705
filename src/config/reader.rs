//! Reads one setting after another and notes what is wrong, so that all faults are told at once.

use super::report::Notes;
use super::settings::Settings;

/// A fault was noted; there is no value.
#[derive(Clone, Copy, Debug)]
pub(super) struct Noted;

/// The settings that are being read, and what there is to say of them.
pub(super) struct Reader<'a> {
    pub(super) settings: &'a mut Settings,
    pub(super) notes: &'a mut Notes,
    /// How many faults were noted before: what could not be read at all is not told a second time for what it says.
    unread: usize,
}

impl<'a> Reader<'a> {
    pub(super) fn new(settings: &'a mut Settings, notes: &'a mut Notes) -> Self {
        let unread = notes.faults.len();
        Self { settings, notes, unread }
    }

    /// The value of a setting, if it is set.
    pub(super) fn optional<T>(
        &mut self,
        key: &str,
        text: Option<&str>,
        parse: impl FnOnce(&str) -> Result<T, String>,
    ) -> Result<Option<T>, Noted> {
        text.map(parse).transpose().map_err(|problem| self.fault(key, problem))
    }

    /// The value of a setting that has a default.
    pub(super) fn required<T>(
        &mut self,
        key: &str,
        text: Option<&str>,
        parse: impl FnOnce(&str) -> Result<T, String>,
    ) -> Result<T, Noted> {
        self.optional(key, text, parse)?.ok_or_else(|| self.fault(key, "is not set"))
    }

    /// Notes what is wrong with a setting.
    pub(super) fn fault(&mut self, key: &str, problem: impl Into<String>) -> Noted {
        let mut unread = self.notes.faults.iter().take(self.unread);
        if !unread.any(|fault| fault.key.as_deref() == Some(key)) {
            self.notes.fault(Some(key), self.settings.place(key), problem);
        }
        Noted
    }

    /// Notes what is likely not meant.
    pub(super) fn warn(&mut self, key: &str, text: impl Into<String>) {
        self.notes.warn(key, text);
    }
}
