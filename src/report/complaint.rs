//! An error before there is a report, as JSON.

use serde_json::json;

use super::json::{VERSION, document};
use crate::complaint::Complaint;

/// The document that stands in for a report that could not be made.
pub fn complaint_json(complaint: &Complaint, exit_code: u8) -> String {
    document(&json!({
        "version": VERSION,
        "error": {
            "code": complaint.code,
            "exit_code": exit_code,
            "subject": complaint.subject,
            "message": complaint.message,
            "causes": complaint.causes,
            "hints": complaint.hints,
        },
    }))
}
