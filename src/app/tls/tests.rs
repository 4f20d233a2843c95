//! The secret line by loopback: the right server is believed, a spoofed one, another name and plain HTTP are not.

use axum::extract::ConnectInfo;
use axum::routing::get;

use super::*;
use crate::app::http_client;
use crate::sync::http;

struct Server {
    _folder: tempfile::TempDir,
    authority: Authority,
    address: SocketAddr,
    stop: Stop,
    served: JoinHandle<()>,
}

async fn server(names: &[&str]) -> Server {
    let folder = tempfile::tempdir().expect("folder");
    let authority = Authority::open(folder.path()).expect("an authority");
    let config = TlsConfig {
        listen: "127.0.0.1:0".parse().expect("an address"),
        names: names.iter().map(|name| (*name).to_owned()).collect(),
    };
    let stop = Stop::default();
    let from = |ConnectInfo(from): ConnectInfo<SocketAddr>| async move { from.ip().to_string() };
    let app = Router::new().route("/", get(from));
    let (address, served) = serve(&config, &authority, app, stop.clone())
        .await
        .expect("serves");
    Server {
        _folder: folder,
        authority,
        address,
        stop,
        served,
    }
}

impl Server {
    async fn ask(&self, client: &reqwest::Client) -> Result<String, reqwest::Error> {
        let url = format!("https://{}/", self.address);
        client.get(url).send().await?.text().await
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_right_server_is_believed_and_no_other() {
    let (ours, spoofed) = (server(&[]).await, server(&[]).await);
    let client = http_client(Some(ours.authority.pem.as_bytes())).expect("a client");
    assert_eq!(ours.ask(&client).await.expect("an answer"), "127.0.0.1");
    let refused = spoofed.ask(&client).await.expect_err("another authority");
    assert!(refused.is_connect(), "{refused:?}");
    let trusting = http_client(None).expect("a client");
    assert!(
        ours.ask(&trusting).await.is_err(),
        "no authority of the world knows it"
    );
    let elsewhere = server(&["10.9.9.9"]).await;
    let client = http_client(Some(elsewhere.authority.pem.as_bytes())).expect("a client");
    assert!(
        elsewhere.ask(&client).await.is_err(),
        "its certificate is for another name"
    );
    let plain = format!("http://{}/", ours.address);
    assert!(
        client.get(plain).send().await.is_err(),
        "nothing is said in the clear"
    );
    ours.stop.stop();
    ours.served.await.expect("ended well");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_fingerprint_is_enough_to_know_the_server() {
    let (ours, spoofed) = (server(&[]).await, server(&[]).await);
    let fingerprint = ours.authority.fingerprint().expect("a fingerprint");
    let client = http::by_fingerprint(&fingerprint)
        .expect("a client")
        .build()
        .expect("a client");
    assert_eq!(ours.ask(&client).await.expect("an answer"), "127.0.0.1");
    assert!(spoofed.ask(&client).await.is_err());
    assert!(http::by_fingerprint("12ab").is_err());
    let elsewhere = server(&["10.9.9.9"]).await;
    let fingerprint = elsewhere.authority.fingerprint().expect("a fingerprint");
    let client = http::by_fingerprint(&fingerprint).expect("a client").build();
    assert!(elsewhere.ask(&client.expect("a client")).await.is_err());
}

#[tokio::test(flavor = "multi_thread")]
async fn an_authority_is_made_once_and_signs_again_after_a_restart() {
    let folder = tempfile::tempdir().expect("folder");
    let first = Authority::open(folder.path()).expect("made");
    let again = Authority::open(folder.path()).expect("read");
    assert_eq!(first.pem, again.pem);
    let config = TlsConfig {
        listen: "127.0.0.1:0".parse().expect("an address"),
        names: vec![],
    };
    let app = Router::new().route("/", get(|| async { "here" }));
    let (address, _) = serve(&config, &again, app, Stop::default())
        .await
        .expect("serves");
    let client = http_client(Some(first.pem.as_bytes())).expect("a client");
    let answer = client.get(format!("https://{address}/")).send().await;
    assert!(answer.is_ok(), "{answer:?}");
    let anywhere = TlsConfig {
        listen: "0.0.0.0:0".parse().expect("an address"),
        names: vec![],
    };
    let nameless = serve(&anywhere, &again, Router::new(), Stop::default()).await;
    assert!(nameless.is_err(), "devices could not reach it by any name");
}

#[tokio::test(flavor = "multi_thread")]
async fn who_says_nothing_holds_up_nobody() {
    let ours = server(&[]).await;
    let mut silent = Vec::new();
    for _ in 0..20 {
        silent.push(TcpStream::connect(ours.address).await.expect("connected"));
    }
    let client = http_client(Some(ours.authority.pem.as_bytes())).expect("a client");
    let answer = tokio::time::timeout(Duration::from_secs(5), ours.ask(&client)).await;
    assert!(answer.expect("in time").is_ok());
}
