//! words: counts the words of a text.
//!
//!     words.count  {"text": "one two"}  ->  {"words": 2, "longest": "three"}

mod abi;

use std::ffi::{c_char, CString};
use std::panic::{catch_unwind, AssertUnwindSafe};

static KINDS: [abi::Kind; 1] = [abi::Kind {
    flags: abi::KIND_PARALLEL | abi::KIND_REPEATABLE,
    reserved: 0,
    name: c"words.count".as_ptr(),
    summary: c"Counts words.".as_ptr(),
}];

static DESCRIPTOR: abi::Descriptor = abi::Descriptor {
    size: std::mem::size_of::<abi::Descriptor>() as u32,
    abi_version: abi::ABI_VERSION,
    kind_size: std::mem::size_of::<abi::Kind>() as u32,
    kind_count: KINDS.len() as u32,
    grant_count: 0,
    reserved: 0,
    name: c"words".as_ptr(),
    version: c"1.0.0".as_ptr(),
    summary: c"Counts words.".as_ptr(),
    kinds: KINDS.as_ptr(),
    grants: std::ptr::null(),
    execute,
};

#[no_mangle]
pub extern "C" fn hf_plugin_entry_v1() -> *const abi::Descriptor {
    &DESCRIPTOR
}

/// A panic must not leave the library: it becomes the command's failure.
unsafe extern "C" fn execute(host: *const abi::Host, command: *const abi::Command) -> i32 {
    let (host_table, command) = (&*host, &*command);
    let payload = std::slice::from_raw_parts(command.payload as *const u8, command.payload_length);
    let outcome = catch_unwind(AssertUnwindSafe(|| count(payload)));
    match outcome {
        Ok(Ok(json)) => {
            (host_table.log)(host, abi::LOG_INFO, c"counted".as_ptr());
            let status = (host_table.set_result)(host, json.as_ptr() as *const c_char, json.len());
            if status == abi::OK { abi::OK } else { status }
        }
        Ok(Err(words)) => fail(host, &words, abi::ERROR_INVALID),
        Err(_) => fail(host, "it panicked: see what it printed", abi::ERROR_FAILED),
    }
}

unsafe fn fail(host: *const abi::Host, words: &str, status: i32) -> i32 {
    if let Ok(text) = CString::new(words) {
        ((*host).set_failure)(host, text.as_ptr());
    }
    status
}

fn count(payload: &[u8]) -> Result<String, String> {
    let payload = std::str::from_utf8(payload).map_err(|error| error.to_string())?;
    let text = text_in(payload).ok_or("the payload has no text, such as {\"text\": \"one two\"}")?;
    let words: Vec<&str> = text.split_whitespace().collect();
    let longest = words.iter().max_by_key(|word| word.chars().count()).copied().unwrap_or("");
    Ok(format!("{{\"words\":{},\"longest\":\"{}\"}}", words.len(), longest))
}

/// The value of "text", as it stands in the JSON, escapes included: a real plugin takes a JSON crate.
fn text_in(payload: &str) -> Option<&str> {
    let after = &payload[payload.find("\"text\"")? + 6..];
    let value = after.trim_start().strip_prefix(':')?.trim_start().strip_prefix('"')?;
    let mut is_escaped = false;
    for (place, character) in value.char_indices() {
        match character {
            _ if is_escaped => is_escaped = false,
            '\\' => is_escaped = true,
            '"' => return Some(&value[..place]),
            _ => {}
        }
    }
    None
}
