//! The targets of a token, each a table of its own.

use super::{Table, Writer, std_time};
use crate::config::settings::{Origins, TokenSetting};
use crate::config::source::describe_argv;
use crate::deliver::{FileTarget, Place, Target};
use crate::edit::Missing;

/// `[[token.LABEL.deliver]]`, in the order in which they are settled.
pub(super) fn tables(token: &TokenSetting) -> impl Iterator<Item = Table> {
    let nothing = Origins::new();
    token.deliver.iter().map(move |target| {
        let origins = token.delivery_origins.get(&target.id).unwrap_or(&nothing);
        table(token, target, origins)
    })
}

fn table(token: &TokenSetting, target: &Target, origins: &Origins) -> Table {
    let mut writer = Writer::new(origins);
    writer.put("name", target.id.as_str());
    match &target.place {
        Place::File(target) => file(&mut writer, target),
        Place::Command(words) => {
            writer.put("command", describe_argv(words));
        }
    }
    writer.put("timeout", std_time(target.timeout));
    writer.one_of_many(&["token", token.label.as_str(), "deliver"])
}

fn file(writer: &mut Writer<'_>, target: &FileTarget) {
    writer
        .put("file", target.path.to_string_lossy().into_owned())
        .put("key", target.key.clone())
        .put("format", target.format.as_str())
        .put("write", target.writing.as_str())
        .put("create", target.missing == Missing::Create);
}
