//! The function as lambda_runtime's documentation has it: tokio's default runtime, tracing.

use aws_config::BehaviorVersion;
use aws_lambda_events::apigw::ApiGatewayV2httpRequest;
use lambda_runtime::{Error, LambdaEvent, service_fn, tracing};
use webhook::{Handler, Line};

#[tokio::main]
async fn main() -> Result<(), Error> {
    tracing::init_default_subscriber();
    let config = aws_config::load_defaults(BehaviorVersion::latest()).await;
    let handler = Handler::new(&config, log).await?;
    let handler = &handler;
    lambda_runtime::run(service_fn(
        move |event: LambdaEvent<ApiGatewayV2httpRequest>| async move {
            handler.handle(event.payload).await
        },
    ))
    .await
}

fn log(line: &Line) {
    tracing::info!(
        status = line.status,
        r#type = line.event,
        kind = line.kind,
        key = line.key,
        answer = line.answer,
        "delivery answered"
    );
}
