//! Takes away from prost's types what the views, by contract, do not tell apart from its default: absent messages from
//! empty ones, unknown temporalities, indexes into a profiles dictionary, and entity references, which have no view.

use opentelemetry_proto::tonic::{
    collector::{
        logs::v1::ExportLogsServiceRequest, metrics::v1::ExportMetricsServiceRequest, trace::v1::ExportTraceServiceRequest,
    },
    common::v1 as pc,
    metrics::v1::{AggregationTemporality, Exemplar, Metric, NumberDataPoint, metric::Data},
    resource::v1 as pr,
};

pub(super) fn metrics(mut request: ExportMetricsServiceRequest) -> ExportMetricsServiceRequest {
    for resource in &mut request.resource_metrics {
        plain_resource(&mut resource.resource);
        for scope in &mut resource.scope_metrics {
            plain_scope(&mut scope.scope);
            for metric in &mut scope.metrics {
                plain_metric(metric);
            }
        }
    }
    request
}

pub(super) fn logs(mut request: ExportLogsServiceRequest) -> ExportLogsServiceRequest {
    for resource in &mut request.resource_logs {
        plain_resource(&mut resource.resource);
        for scope in &mut resource.scope_logs {
            plain_scope(&mut scope.scope);
            for record in &mut scope.log_records {
                plain_value(record.body.get_or_insert_default());
                plain_attributes(&mut record.attributes);
            }
        }
    }
    request
}

pub(super) fn traces(mut request: ExportTraceServiceRequest) -> ExportTraceServiceRequest {
    for resource in &mut request.resource_spans {
        plain_resource(&mut resource.resource);
        for scope in &mut resource.scope_spans {
            plain_scope(&mut scope.scope);
            for span in &mut scope.spans {
                span.status.get_or_insert_default();
                plain_attributes(&mut span.attributes);
                span.events.iter_mut().for_each(|event| plain_attributes(&mut event.attributes));
                span.links.iter_mut().for_each(|link| plain_attributes(&mut link.attributes));
            }
        }
    }
    request
}

fn plain_resource(resource: &mut Option<pr::Resource>) {
    let resource = resource.get_or_insert_default();
    resource.entity_refs.clear();
    plain_attributes(&mut resource.attributes);
}

fn plain_scope(scope: &mut Option<pc::InstrumentationScope>) {
    plain_attributes(&mut scope.get_or_insert_default().attributes);
}

fn plain_attributes(attributes: &mut [pc::KeyValue]) {
    for attribute in attributes {
        attribute.key_strindex = 0;
        plain_value(attribute.value.get_or_insert_default());
    }
}

fn plain_value(value: &mut pc::AnyValue) {
    use pc::any_value::Value;
    match &mut value.value {
        Some(Value::ArrayValue(array)) => array.values.iter_mut().for_each(plain_value),
        Some(Value::KvlistValue(map)) => plain_attributes(&mut map.values),
        Some(Value::StringValueStrindex(_)) => value.value = None,
        _ => {}
    }
}

fn plain_temporality(number: &mut i32) {
    if AggregationTemporality::try_from(*number).is_err() {
        *number = 0;
    }
}

fn plain_metric(metric: &mut Metric) {
    plain_attributes(&mut metric.metadata);
    match &mut metric.data {
        None => {}
        Some(Data::Gauge(data)) => plain_points(&mut data.data_points),
        Some(Data::Sum(data)) => {
            plain_temporality(&mut data.aggregation_temporality);
            plain_points(&mut data.data_points);
        }
        Some(Data::Histogram(data)) => {
            plain_temporality(&mut data.aggregation_temporality);
            for point in &mut data.data_points {
                plain_attributes(&mut point.attributes);
                plain_exemplars(&mut point.exemplars);
            }
        }
        Some(Data::ExponentialHistogram(data)) => {
            plain_temporality(&mut data.aggregation_temporality);
            for point in &mut data.data_points {
                point.positive.get_or_insert_default();
                point.negative.get_or_insert_default();
                plain_attributes(&mut point.attributes);
                plain_exemplars(&mut point.exemplars);
            }
        }
        Some(Data::Summary(data)) => {
            for point in &mut data.data_points {
                plain_attributes(&mut point.attributes);
            }
        }
    }
}

fn plain_points(points: &mut [NumberDataPoint]) {
    for point in points {
        plain_attributes(&mut point.attributes);
        plain_exemplars(&mut point.exemplars);
    }
}

fn plain_exemplars(exemplars: &mut [Exemplar]) {
    for exemplar in exemplars {
        plain_attributes(&mut exemplar.filtered_attributes);
    }
}
