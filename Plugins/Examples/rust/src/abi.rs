//! holdfast_plugin.h, as far as this plugin needs it. Structs may be cut off at their end, since both sides say their size; the
//! members that are here have to be in the header's order.

use std::ffi::{c_char, c_void};

pub const ABI_VERSION: u32 = 1;
pub const OK: i32 = 0;
pub const ERROR_FAILED: i32 = -1;
pub const ERROR_INVALID: i32 = -3;
pub const LOG_INFO: i32 = 1;
pub const KIND_PARALLEL: u32 = 1 << 0;
pub const KIND_REPEATABLE: u32 = 1 << 1;

#[repr(C)]
pub struct Kind {
    pub flags: u32,
    pub reserved: u32,
    pub name: *const c_char,
    pub summary: *const c_char,
}

#[repr(C)]
pub struct Descriptor {
    pub size: u32,
    pub abi_version: u32,
    pub kind_size: u32,
    pub kind_count: u32,
    pub grant_count: u32,
    pub reserved: u32,
    pub name: *const c_char,
    pub version: *const c_char,
    pub summary: *const c_char,
    pub kinds: *const Kind,
    pub grants: *const *const c_char,
    pub execute: unsafe extern "C" fn(*const Host, *const Command) -> i32,
}

// SAFETY: they are constant, and point to constants.
unsafe impl Sync for Kind {}
unsafe impl Sync for Descriptor {}

#[repr(C)]
pub struct Command {
    pub size: u32,
    pub reserved: u32,
    pub id: *const c_char,
    pub kind: *const c_char,
    pub payload: *const c_char,
    pub payload_length: usize,
}

#[repr(C)]
pub struct Host {
    pub size: u32,
    pub abi_version: u32,
    pub context: *mut c_void,
    pub log: unsafe extern "C" fn(*const Host, i32, *const c_char),
    pub progress: unsafe extern "C" fn(*const Host, i32, *const c_char),
    pub cancelled: unsafe extern "C" fn(*const Host) -> i32,
    pub deadline: unsafe extern "C" fn(*const Host) -> i64,
    pub state_directory: unsafe extern "C" fn(*const Host) -> *const c_char,
    pub set_result: unsafe extern "C" fn(*const Host, *const c_char, usize) -> i32,
    pub set_failure: unsafe extern "C" fn(*const Host, *const c_char),
}
