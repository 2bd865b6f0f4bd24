//! placeholder
use std::sync::Arc;
use deferd_component::{Listener, Stop};
pub(super) async fn serve(listener: Arc<Listener>, stop: Stop, page: impl Fn() -> String) {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    loop {
        tokio::select! {
            () = stop.wait() => return,
            Ok((mut s, _)) = listener.accept() => {
                let mut b = [0; 1024];
                let _ = s.read(&mut b).await;
                let text = page();
                let _ = s.write_all(format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{text}", text.len()).as_bytes()).await;
            }
        }
    }
}
