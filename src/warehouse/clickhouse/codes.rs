//! What ClickHouse's exceptions mean, by their code: the one place that decides it.
//!
//! The list is closed. A code that is not on it passes: the same is asked again after a while, and meanwhile the stage says
//! what it waits for. So it is with too many parts (252), too many queries (202), a full disk (243), timeouts (159, 209), a network
//! that broke (210), replicas that cannot write (242, 285, 319), Keeper (225, 999), a body that was cut or damaged on its
//! way (3, 40), and all that is not known here. A setting that is unknown or may not be set (115, 164, 452) is asked for again at once, and
//! refused in words where it is so a second time (`connection.rs`).
//!
//! Names and numbers are those of `src/Common/ErrorCodes.cpp` in ClickHouse's repository; a test asks the engine for each of them.

/// What an exception means for what was asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Meaning {
    /// The server is not what it must be, or was asked what it does not understand: it will always answer so.
    Setup,
    /// The user may not do it.
    Access,
    /// What the rows hold is refused: of several rows that of one, of one row that row.
    Rows,
    /// It was too large. Half of it may pass; a single row that is too large will always be.
    Size,
    /// It took more than there is room for now. Half of it may pass; a single row has to wait.
    Room,
    /// It may be passed by the next attempt.
    Passing,
}

/// The codes that do not pass by waiting, with the names that `ErrorCodes.cpp` gives them.
pub(super) const CODES: [(u32, &str, Meaning); 46] = [
    // The text of a value cannot be read. Also a value that breaks off in the middle.
    (6, "CANNOT_PARSE_TEXT", Meaning::Rows),
    // A column that the table does not have.
    (16, "NO_SUCH_COLUMN_IN_TABLE", Meaning::Setup),
    (25, "CANNOT_PARSE_ESCAPE_SEQUENCE", Meaning::Rows),
    (26, "CANNOT_PARSE_QUOTED_STRING", Meaning::Rows),
    (27, "CANNOT_PARSE_INPUT_ASSERTION_FAILED", Meaning::Rows),
    (33, "CANNOT_READ_ALL_DATA", Meaning::Rows),
    // An argument that a function or an engine refuses.
    (36, "BAD_ARGUMENTS", Meaning::Setup),
    (38, "CANNOT_PARSE_DATE", Meaning::Rows),
    (41, "CANNOT_PARSE_DATETIME", Meaning::Rows),
    (43, "ILLEGAL_TYPE_OF_ARGUMENT", Meaning::Setup),
    (44, "ILLEGAL_COLUMN", Meaning::Setup),
    (46, "UNKNOWN_FUNCTION", Meaning::Setup),
    (47, "UNKNOWN_IDENTIFIER", Meaning::Setup),
    (48, "NOT_IMPLEMENTED", Meaning::Setup),
    (50, "UNKNOWN_TYPE", Meaning::Setup),
    // The column has another type than the value.
    (53, "TYPE_MISMATCH", Meaning::Rows),
    (57, "TABLE_ALREADY_EXISTS", Meaning::Setup),
    (60, "UNKNOWN_TABLE", Meaning::Setup),
    (62, "SYNTAX_ERROR", Meaning::Setup),
    (63, "UNKNOWN_AGGREGATE_FUNCTION", Meaning::Setup),
    (69, "ARGUMENT_OUT_OF_BOUND", Meaning::Rows),
    (70, "CANNOT_CONVERT_TYPE", Meaning::Rows),
    (72, "CANNOT_PARSE_NUMBER", Meaning::Rows),
    (80, "INCORRECT_QUERY", Meaning::Setup),
    (81, "UNKNOWN_DATABASE", Meaning::Setup),
    (117, "INCORRECT_DATA", Meaning::Rows),
    (131, "TOO_LARGE_STRING_SIZE", Meaning::Rows),
    (137, "UNKNOWN_ELEMENT_IN_CONFIG", Meaning::Setup),
    // A limit of rows: `max_rows_to_read` and the like.
    (158, "TOO_MANY_ROWS", Meaning::Room),
    (180, "THERE_IS_NO_PROFILE", Meaning::Setup),
    // A limit of a set: `max_bytes_in_set` and the like.
    (191, "SET_SIZE_LIMIT_EXCEEDED", Meaning::Room),
    (192, "UNKNOWN_USER", Meaning::Access),
    (193, "WRONG_PASSWORD", Meaning::Access),
    (194, "REQUIRED_PASSWORD", Meaning::Access),
    // The memory of a query, a user or the server.
    (241, "MEMORY_LIMIT_EXCEEDED", Meaning::Room),
    (291, "DATABASE_ACCESS_DENIED", Meaning::Access),
    // A limit of bytes: `max_bytes_to_read` and the like.
    (307, "TOO_MANY_BYTES", Meaning::Size),
    (321, "VALUE_IS_OUT_OF_RANGE_OF_DATA_TYPE", Meaning::Rows),
    (349, "CANNOT_INSERT_NULL_IN_ORDINARY_COLUMN", Meaning::Rows),
    // What a profile forbids altogether: `allow_ddl`.
    (392, "QUERY_IS_PROHIBITED", Meaning::Access),
    // A limit of either: `max_result_bytes` and the like.
    (396, "TOO_MANY_ROWS_OR_BYTES", Meaning::Size),
    (407, "DECIMAL_OVERFLOW", Meaning::Rows),
    // A constraint of the table.
    (469, "VIOLATED_CONSTRAINT", Meaning::Rows),
    (492, "ACCESS_ENTITY_NOT_FOUND", Meaning::Access),
    (497, "ACCESS_DENIED", Meaning::Access),
    (516, "AUTHENTICATION_FAILED", Meaning::Access),
];

/// What an exception with this code and text means.
pub(super) fn meaning(code: u32, text: &str) -> Meaning {
    if code == SYNTAX_ERROR && text.contains("Max query size exceeded") {
        return Meaning::Size;
    }
    CODES.iter().find(|(known, ..)| *known == code).map_or(Meaning::Passing, |(.., meaning)| *meaning)
}

const SYNTAX_ERROR: u32 = 62;

/// Whether a setting was refused that went along: the server does not know it (`UNKNOWN_SETTING`), the user may set nothing
/// (`READONLY`), or not that (`SETTING_CONSTRAINT_VIOLATION`).
pub(super) const fn refuses_settings(code: u32) -> bool {
    matches!(code, 115 | 164 | 452)
}
