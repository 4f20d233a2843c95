//! One text of SQL for both stores: what is not a submission is written once and runs on SQLite and on PostgreSQL.
//!
//! Statements use `$1`, `$2`…, columns are integers, texts and bytes, and nothing either of them does not know.
//! A piece of work is one transaction: in SQLite it joins the writer's group, in PostgreSQL it runs on a thread of
//! its own, because the work itself does not wait. Begin at [`Municipal::change`] and [`Sql`].

use std::error::Error;

use bytes::BytesMut;
use rusqlite::types::ToSqlOutput;
use rusqlite::{Connection, params_from_iter};
use tokio_postgres::types::{FromSql, IsNull, ToSql, Type};

use super::municipal::Municipal;
use super::postgres::Postgres;
use super::{Db, StoreError};

/// A value of a column or of a parameter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value {
    /// No value.
    Nothing,
    /// A whole number; moments are microseconds.
    Int(i64),
    /// A text.
    Text(String),
    /// Bytes.
    Bytes(Vec<u8>),
}

impl From<i64> for Value {
    fn from(value: i64) -> Self {
        Self::Int(value)
    }
}

impl From<jiff::Timestamp> for Value {
    fn from(value: jiff::Timestamp) -> Self {
        Self::Int(value.as_microsecond())
    }
}

impl From<&str> for Value {
    fn from(value: &str) -> Self {
        Self::Text(value.to_owned())
    }
}

impl From<String> for Value {
    fn from(value: String) -> Self {
        Self::Text(value)
    }
}

impl From<&String> for Value {
    fn from(value: &String) -> Self {
        Self::Text(value.clone())
    }
}

impl<const N: usize> From<[u8; N]> for Value {
    fn from(value: [u8; N]) -> Self {
        Self::Bytes(value.to_vec())
    }
}

impl<T: Into<Value>> From<Option<T>> for Value {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Nothing, Into::into)
    }
}

/// A row that was read.
#[derive(Clone, Debug)]
pub struct Row(Vec<Value>);

impl Row {
    fn at(&self, column: usize) -> &Value {
        self.0.get(column).unwrap_or(&Value::Nothing)
    }

    /// The whole number in a column.
    pub fn int(&self, column: usize) -> Result<i64, StoreError> {
        self.maybe_int(column)
            .ok_or(StoreError::Unreadable { what: "number" })
    }

    /// The whole number in a column that may be empty.
    pub fn maybe_int(&self, column: usize) -> Option<i64> {
        match self.at(column) {
            Value::Int(value) => Some(*value),
            Value::Nothing | Value::Text(_) | Value::Bytes(_) => None,
        }
    }

    /// The moment in a column that may be empty.
    pub fn moment(&self, column: usize) -> Option<jiff::Timestamp> {
        self.maybe_int(column).map(crate::clock::from_micros)
    }

    /// The text in a column.
    pub fn text(&self, column: usize) -> Result<String, StoreError> {
        self.maybe_text(column)
            .ok_or(StoreError::Unreadable { what: "text" })
    }

    /// The text in a column that may be empty.
    pub fn maybe_text(&self, column: usize) -> Option<String> {
        match self.at(column) {
            Value::Text(value) => Some(value.clone()),
            Value::Nothing | Value::Int(_) | Value::Bytes(_) => None,
        }
    }

    /// The bytes in a column that may be empty.
    pub fn maybe_bytes(&self, column: usize) -> Option<&[u8]> {
        match self.at(column) {
            Value::Bytes(value) => Some(value),
            Value::Nothing | Value::Int(_) | Value::Text(_) => None,
        }
    }

    /// The bytes of a fixed length in a column.
    pub fn array<const N: usize>(&self, column: usize) -> Result<[u8; N], StoreError> {
        self.maybe_bytes(column)
            .and_then(|bytes| bytes.try_into().ok())
            .ok_or(StoreError::Unreadable { what: "bytes" })
    }
}

/// An open transaction of either store.
pub trait Sql {
    /// The rows that a statement finds.
    fn rows(&mut self, sql: &str, values: &[Value]) -> Result<Vec<Row>, StoreError>;

    /// Does what a statement says; how many rows it touched.
    fn run(&mut self, sql: &str, values: &[Value]) -> Result<u64, StoreError>;

    /// Lets nobody else do the same kind of work until the commit.
    fn alone(&mut self, lock: i64) -> Result<(), StoreError>;

    /// The table where submissions lie.
    fn bodies(&self) -> &'static str;

    /// The condition for the one of them with the id `$1`.
    fn is_this_body(&self) -> &'static str;

    /// The first row, if there is one.
    fn row(&mut self, sql: &str, values: &[Value]) -> Result<Option<Row>, StoreError> {
        Ok(self.rows(sql, values)?.into_iter().next())
    }
}

impl Municipal {
    /// Runs `work` in a transaction and returns once it is on the disk; when it fails, nothing of it stays.
    pub async fn change<T, F>(&self, work: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: FnOnce(&mut dyn Sql) -> Result<T, StoreError> + Send + 'static,
    {
        match self {
            Self::Sqlite(db) => db.write(move |conn| work(&mut Lite(conn))).await,
            Self::Postgres(server) => in_postgres(server, work).await,
        }
    }

    /// Runs `work` that only reads.
    pub async fn look<T, F>(&self, work: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: FnOnce(&mut dyn Sql) -> Result<T, StoreError> + Send + 'static,
    {
        match self {
            Self::Sqlite(db) => db.read(move |conn| work(&mut Lite(conn))),
            Self::Postgres(server) => in_postgres(server, work).await,
        }
    }
}

impl Db {
    /// [`Municipal::change`] for a file, on a thread that is not part of the async runtime.
    pub fn change_blocking<T, F>(&self, work: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: FnOnce(&mut dyn Sql) -> Result<T, StoreError> + Send + 'static,
    {
        self.write_blocking(move |conn| work(&mut Lite(conn)))
    }

    /// [`Municipal::look`] for a file.
    pub fn look_at<T, F>(&self, work: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: FnOnce(&mut dyn Sql) -> Result<T, StoreError> + Send + 'static,
    {
        self.read(move |conn| work(&mut Lite(conn)))
    }
}

struct Lite<'a>(&'a Connection);

/// `$1` is a name in SQLite, counted in the order in which names are met; `?1` is the first for certain.
fn numbered(sql: &str) -> String {
    sql.replace('$', "?")
}

impl rusqlite::ToSql for Value {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        use rusqlite::types::Value as Owned;
        Ok(match self {
            Self::Nothing => ToSqlOutput::Owned(Owned::Null),
            Self::Int(value) => ToSqlOutput::Owned(Owned::Integer(*value)),
            Self::Text(value) => ToSqlOutput::from(value.as_str()),
            Self::Bytes(value) => ToSqlOutput::from(value.as_slice()),
        })
    }
}

impl rusqlite::types::FromSql for Value {
    fn column_result(value: rusqlite::types::ValueRef<'_>) -> rusqlite::types::FromSqlResult<Self> {
        use rusqlite::types::{FromSqlError, ValueRef};
        match value {
            ValueRef::Null => Ok(Self::Nothing),
            ValueRef::Integer(value) => Ok(Self::Int(value)),
            ValueRef::Text(_) => Ok(Self::Text(value.as_str()?.to_owned())),
            ValueRef::Blob(value) => Ok(Self::Bytes(value.to_vec())),
            ValueRef::Real(_) => Err(FromSqlError::InvalidType),
        }
    }
}

impl Sql for Lite<'_> {
    fn rows(&mut self, sql: &str, values: &[Value]) -> Result<Vec<Row>, StoreError> {
        let mut statement = self.0.prepare_cached(&numbered(sql))?;
        let columns = statement.column_count();
        let mut rows = statement.query(params_from_iter(values))?;
        let mut found = Vec::new();
        while let Some(row) = rows.next()? {
            let values = (0..columns).map(|n| row.get(n)).collect::<Result<_, _>>()?;
            found.push(Row(values));
        }
        Ok(found)
    }

    fn run(&mut self, sql: &str, values: &[Value]) -> Result<u64, StoreError> {
        let touched = self
            .0
            .prepare_cached(&numbered(sql))?
            .execute(params_from_iter(values))?;
        Ok(u64::try_from(touched).unwrap_or(u64::MAX))
    }

    fn alone(&mut self, _: i64) -> Result<(), StoreError> {
        // A file has one writer.
        Ok(())
    }

    fn bodies(&self) -> &'static str {
        "inbox"
    }

    fn is_this_body(&self) -> &'static str {
        "submission_id=$1"
    }
}

struct Pg<'a> {
    tx: deadpool_postgres::Transaction<'a>,
    runtime: tokio::runtime::Handle,
}

async fn in_postgres<T, F>(server: &Postgres, work: F) -> Result<T, StoreError>
where
    T: Send + 'static,
    F: FnOnce(&mut dyn Sql) -> Result<T, StoreError> + Send + 'static,
{
    let mut client = server.client().await?;
    let runtime = tokio::runtime::Handle::current();
    tokio::task::spawn_blocking(move || {
        let tx = runtime.block_on(client.transaction())?;
        let mut sql = Pg {
            tx,
            runtime: runtime.clone(),
        };
        // Whatever is dropped without a commit is rolled back.
        let done = work(&mut sql)?;
        runtime.block_on(sql.tx.commit())?;
        Ok(done)
    })
    .await
    .map_err(|_| StoreError::Closed)?
}

impl Sql for Pg<'_> {
    fn rows(&mut self, sql: &str, values: &[Value]) -> Result<Vec<Row>, StoreError> {
        let found = self.runtime.block_on(async {
            let statement = self.tx.prepare_cached(sql).await?;
            self.tx.query(&statement, &given(values)).await
        })?;
        found
            .iter()
            .map(|row| {
                (0..row.len())
                    .map(|n| row.try_get::<_, Value>(n))
                    .collect::<Result<_, _>>()
                    .map(Row)
                    .map_err(StoreError::from)
            })
            .collect()
    }

    fn run(&mut self, sql: &str, values: &[Value]) -> Result<u64, StoreError> {
        Ok(self.runtime.block_on(async {
            let statement = self.tx.prepare_cached(sql).await?;
            self.tx.execute(&statement, &given(values)).await
        })?)
    }

    fn alone(&mut self, lock: i64) -> Result<(), StoreError> {
        self.rows(
            "SELECT CAST(pg_advisory_xact_lock($1) AS text)",
            &[Value::Int(lock)],
        )?;
        Ok(())
    }

    fn bodies(&self) -> &'static str {
        "submission"
    }

    fn is_this_body(&self) -> &'static str {
        // By way of the narrow table, so that only one month is looked at.
        "(server_seq, received_at) = (SELECT server_seq, received_at FROM submission_id WHERE id=$1)"
    }
}

fn given(values: &[Value]) -> Vec<&(dyn ToSql + Sync)> {
    values.iter().map(|value| value as &(dyn ToSql + Sync)).collect()
}

type Failed = Box<dyn Error + Sync + Send>;

impl ToSql for Value {
    fn to_sql(&self, ty: &Type, out: &mut BytesMut) -> Result<IsNull, Failed> {
        match self {
            Self::Nothing => Ok(IsNull::Yes),
            Self::Int(value) => value.to_sql_checked(ty, out),
            Self::Text(value) if *ty == Type::UUID => value.parse::<uuid::Uuid>()?.to_sql(ty, out),
            Self::Text(value) => value.to_sql_checked(ty, out),
            Self::Bytes(value) => value.to_sql_checked(ty, out),
        }
    }

    fn accepts(_: &Type) -> bool {
        true
    }

    tokio_postgres::types::to_sql_checked!();
}

impl<'a> FromSql<'a> for Value {
    fn from_sql(ty: &Type, raw: &'a [u8]) -> Result<Self, Failed> {
        match *ty {
            Type::INT8 => i64::from_sql(ty, raw).map(Self::Int),
            Type::INT4 => i32::from_sql(ty, raw).map(|value| Self::Int(value.into())),
            Type::TEXT | Type::VARCHAR => String::from_sql(ty, raw).map(Self::Text),
            Type::BYTEA => Vec::from_sql(ty, raw).map(Self::Bytes),
            _ => Err(format!("a column of the type {ty} is not expected").into()),
        }
    }

    fn from_sql_null(_: &Type) -> Result<Self, Failed> {
        Ok(Self::Nothing)
    }

    fn accepts(_: &Type) -> bool {
        true
    }
}
