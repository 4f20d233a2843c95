//! Orders for devices: given by somebody with the right to, signed by central, on record before they go out.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, Query, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use jiff::SignedDuration;
use serde::Deserialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::super::CentralApp;
use super::super::api::App;
use super::super::guard::Clerk;
use super::new_id;
use super::view::OrderView;
use crate::app::office::Problem;
use crate::domain::desk::CentralEvent;
use crate::domain::fleet::order::{Order, OrderKind};
use crate::store::fleet::{self as store, OrderRow};
use crate::store::{StoreError, chain};

/// Most orders that wait for one device.
const OPEN_MAX: usize = 5;
/// Most orders in one answer.
const LIST_MAX: u32 = 200;

/// Why an order was not given.
#[derive(Debug, thiserror::Error)]
pub enum OrderError {
    /// Nobody of that name.
    #[error("Device {0} is not known here, or is out of service")]
    Device(String),
    /// It has enough to do.
    #[error("Five orders wait for {0} already; it has not asked for them yet")]
    Enough(String),
    /// The store does not answer.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<OrderError> for Problem {
    fn from(error: OrderError) -> Self {
        match error {
            OrderError::Device(_) => Self::not_found(&error.to_string()),
            OrderError::Enough(_) => Self::new(StatusCode::CONFLICT, "enough", error.to_string()),
            OrderError::Store(error) => error.into(),
        }
    }
}

impl CentralApp {
    /// Gives an order; the device has it with its next report.
    ///
    /// # Errors
    /// When the device is none, or too many orders wait for it.
    pub async fn give_order(
        &self,
        clerk: &Clerk,
        device: &str,
        kind: OrderKind,
    ) -> Result<OrderRow, OrderError> {
        let now = self.clock.now();
        let book = self.registry.gate().book();
        let peer = book
            .by_id(device)
            .filter(|peer| !peer.revoked)
            .ok_or_else(|| OrderError::Device(device.to_owned()))?;
        let lasts = SignedDuration::from_hours(i64::from(self.config.fleet.order_hours.max(1)));
        let order = Order {
            v: 1,
            id: new_id(now),
            device: peer.id.clone(),
            kid: peer.key.as_ref().map(|key| key.kid().to_owned()),
            kind: kind.code().to_owned(),
            issued_at: now,
            expires_at: now + lasts,
        };
        let signed = order.seal(&self.key);
        let row = OrderRow {
            id: order.id,
            device: order.device,
            kind: order.kind,
            issued_by: clerk.name.clone(),
            issued_at: now,
            expires_at: order.expires_at,
            end: None,
            detail: String::new(),
            done_at: None,
            media: None,
        };
        let (clerk, given) = (clerk.clone(), row.clone());
        let enough = self
            .store
            .change(move |sql| {
                if store::count_open(sql, &given.device, now)? >= OPEN_MAX {
                    return Ok(true);
                }
                store::add_order(sql, &given, &signed)?;
                let event = CentralEvent::OrderGiven {
                    order: given.id.to_string(),
                    device: given.device.clone(),
                    kind,
                };
                chain::append(sql, now, Some(&clerk.name), Some(&clerk.from), &event)?;
                Ok(false)
            })
            .await?;
        if enough {
            return Err(OrderError::Enough(device.to_owned()));
        }
        Ok(row)
    }

    /// What an order brought back; that somebody looked is put on record first.
    ///
    /// # Errors
    /// When the store does not answer.
    pub async fn order_result(
        &self,
        clerk: &Clerk,
        id: Uuid,
    ) -> Result<Option<(String, Vec<u8>)>, StoreError> {
        let (clerk, now) = (clerk.clone(), self.clock.now());
        self.store
            .change(move |sql| {
                let (Some(order), Some(back)) = (store::find_order(sql, id)?, store::attachment(sql, id)?)
                else {
                    return Ok(None);
                };
                let event = CentralEvent::OrderResultRead {
                    order: id.to_string(),
                    device: order.device,
                };
                chain::append(sql, now, Some(&clerk.name), Some(&clerk.from), &event)?;
                Ok(Some(back))
            })
            .await
    }
}

/// What a device is told.
#[derive(Clone, Debug, Deserialize, ToSchema)]
pub(crate) struct OrderBody {
    /// `restart`, `update_now`, `fetch_logs` or `screen_picture`.
    kind: String,
}

#[utoipa::path(post, path = "/api/v1/fleet/{device}/orders", tag = "fleet", params(("device" = String, Path)),
    request_body = OrderBody,
    responses((status = 202, body = OrderView, description = "The device has it with its next report"),
        (status = 400, body = Problem), (status = 401, body = Problem), (status = 403, body = Problem),
        (status = 404, body = Problem), (status = 409, body = Problem)))]
pub(in crate::app::central) async fn give(
    State(app): App,
    clerk: Clerk,
    Path(device): Path<String>,
    Json(body): Json<OrderBody>,
) -> Result<(StatusCode, Json<OrderView>), Problem> {
    let kind = OrderKind::of(&body.kind).ok_or_else(|| {
        Problem::bad_request(
            "kind",
            "An order is restart, update_now, fetch_logs or screen_picture",
        )
    })?;
    let row = app.give_order(&clerk, &device, kind).await?;
    Ok((StatusCode::ACCEPTED, Json(row.into())))
}

#[derive(Deserialize)]
pub(in crate::app::central) struct Limit {
    limit: Option<u32>,
}

#[utoipa::path(get, path = "/api/v1/fleet/orders", tag = "fleet", params(("limit" = Option<u32>, Query)),
    responses((status = 200, body = Vec<OrderView>), (status = 401, body = Problem), (status = 403, body = Problem)))]
pub(in crate::app::central) async fn list(
    State(app): App,
    Query(page): Query<Limit>,
) -> Result<Json<Vec<OrderView>>, Problem> {
    let limit = page.limit.unwrap_or(50).clamp(1, LIST_MAX);
    let rows = app.store.look(move |sql| store::orders(sql, limit)).await?;
    Ok(Json(rows.into_iter().map(OrderView::from).collect()))
}

#[utoipa::path(get, path = "/api/v1/fleet/orders/{id}/result", tag = "fleet", params(("id" = String, Path)),
    responses((status = 200, description = "A log as text, or a picture of the screen"), (status = 401, body = Problem),
        (status = 403, body = Problem), (status = 404, body = Problem)))]
pub(in crate::app::central) async fn result(
    State(app): App,
    clerk: Clerk,
    Path(id): Path<String>,
) -> Result<Response, Problem> {
    result_of(&app, &clerk, &id).await
}

/// What an order brought back, as an answer.
///
/// # Errors
/// When there is nothing, or no such order.
pub async fn result_of(app: &Arc<CentralApp>, clerk: &Clerk, id: &str) -> Result<Response, Problem> {
    let nothing = || Problem::not_found("This order brought nothing back, or it is gone by now");
    let id: Uuid = id.parse().map_err(|_| nothing())?;
    let (media, bytes) = app.order_result(clerk, id).await?.ok_or_else(nothing)?;
    let media = match media.as_str() {
        "image/png" => "image/png",
        _ => "text/plain; charset=utf-8",
    };
    Ok(([(header::CONTENT_TYPE, media)], bytes).into_response())
}
