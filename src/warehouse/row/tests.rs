use rusqlite::Connection;

use super::*;
use crate::sqlite::FILES;
use crate::warehouse::table::declaration::VERSION;

/// That of ClickHouse is compared with its files where it is checked.
#[test]
fn the_embedded_store_has_these_columns() {
    let store = Connection::open_in_memory().unwrap();
    for file in FILES {
        store.execute_batch(file).unwrap();
    }
    for table in TableId::ALL.map(Table::of) {
        let mut info = store.prepare("SELECT name, type, \"notnull\", pk FROM pragma_table_info(?)").unwrap();
        let column = |row: &rusqlite::Row<'_>| {
            let kind = row.get::<_, String>(1)? + if row.get(2)? { " NOT NULL" } else { "" };
            Ok((row.get::<_, String>(0)?, kind, row.get::<_, usize>(3)?))
        };
        let found: Vec<_> = info.query_map([table.id.as_str()], column).unwrap().map(Result::unwrap).collect();
        let columns = found.iter().map(|(name, kind, _)| (name.as_str(), kind.as_str()));
        assert!(columns.eq(table.columns.iter().map(|column| (column.name, column.sqlite))), "{}: {found:?}", table.id);
        let key = |at: usize| found.iter().find(|(_, _, place)| *place == at).map(|(name, ..)| name.as_str());
        assert!((1..).map_while(key).eq(table.embedded_key.iter().copied()), "{}: {found:?}", table.id);
    }
}

#[test]
fn a_table_is_declared_as_itself_and_known_by_columns_that_it_has() {
    for id in TableId::ALL {
        let table = Table::of(id);
        assert_eq!(table.id, id);
        assert_eq!(table.places(table.key).len(), table.key.len(), "{id}");
        assert_eq!(table.places(table.embedded_key).len(), table.embedded_key.len(), "{id}");
        assert!(table.read_back.starts_with(&id.as_str().replace('_', " ")), "{id}");
        let all = table.columns.iter().chain(table.computed);
        assert_eq!(all.filter(|column| column.name == VERSION).count(), 1, "{id}");
    }
}
