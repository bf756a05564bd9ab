// tracing and event_recorder: read and checked as upstream does, so that a file that works there works here.
// Neither is acted upon, and the log says so.
#include <fmt/format.h>

#include "config/config_sections.h"

namespace mlalert {
namespace {

void ReadTracing(const YamlValue& value) {
  YamlMap map(value, "tracing.plain");
  std::string client_type = "grpc";
  std::string endpoint;
  std::string compression;
  double fraction = 0;
  bool insecure = false;
  Duration timeout{};
  if (auto type = map.TakeSet("client_type"); type && type->Read(client_type)) {
    if (client_type != "http" && client_type != "grpc") {
      type->Error(
          fmt::format("expected tracing client type to be to be http or grpc, but got {}", client_type));
    }
  }
  map.Read("endpoint", endpoint);
  map.Read("sampling_fraction", fraction);
  map.Read("insecure", insecure);
  if (auto tls = map.TakeSet("tls_config")) {
    ReadTlsConfig(*tls);
  }
  ReadHttpHeaders(map, "headers");
  map.Read("compression", compression);
  map.Read("timeout", timeout);
  map.Finish();
  if (map.Failed()) {
    return;
  }
  if (endpoint.empty()) {
    value.Error("tracing endpoint must be set");
  } else if (!compression.empty() && compression != "gzip") {
    map.At("compression")
        .Error(fmt::format("invalid compression type {} provided, valid options: gzip", compression));
  } else {
    value.Warn("tracing is checked and not exported: mlalert sends no spans");
  }
}

void ReadWebhookOutput(const YamlValue& item) {
  const std::string directory;
  YamlMap map(item, "eventrecorder.plain");
  std::string url;
  Duration duration{};
  int number = 0;
  bool batch = false;
  ReadUrl(map, "url", url);
  if (auto http = map.TakeSet("http_config")) {
    ReadHttpConfig(*http, directory);
  }
  map.Read("timeout", duration);
  map.Read("workers", number);
  map.Read("max_retries", number);
  map.Read("retry_backoff", duration);
  map.Read("batch", batch);
  map.Read("batch_max_events", number);
  map.Read("batch_max_bytes", number);
  map.Read("batch_flush_interval", duration);
  map.Finish();
}

void ReadKafkaOutput(const YamlValue& item) {
  YamlMap map(item, "eventrecorder.plain");
  std::vector<std::string> brokers;
  std::string text;
  int size = 0;
  map.Read("brokers", brokers);
  map.Read("topic", text);
  map.Read("client_id", text);
  map.Read("format", text);
  map.Read("acks", text);
  map.Read("compression", text);
  map.Read("buffer_size", size);
  if (auto tls = map.TakeSet("tls_config")) {
    ReadTlsConfig(*tls);
  }
  map.Finish();
}

void ReadEventRecorder(const YamlValue& value) {
  YamlMap map(value, "eventrecorder.Config");
  if (auto list = map.Take("file_outputs")) {
    for (const YamlValue& item : list->Items("[]eventrecorder.FileOutput")) {
      YamlMap file(item, "eventrecorder.FileOutput");
      std::string path;
      file.Read("path", path);
      file.Finish();
    }
  }
  if (auto list = map.Take("webhook_outputs")) {
    for (const YamlValue& item : list->Items("[]eventrecorder.WebhookOutput")) {
      ReadWebhookOutput(item);
    }
  }
  if (auto list = map.Take("kafka_outputs")) {
    for (const YamlValue& item : list->Items("[]eventrecorder.KafkaOutput")) {
      ReadKafkaOutput(item);
    }
  }
  if (auto list = map.Take("stdout_outputs")) {
    for (const YamlValue& item : list->Items("[]eventrecorder.StdoutOutput")) {
      YamlMap(item, "eventrecorder.StdoutOutput").Finish();
    }
  }
  map.Finish();
  if (!map.Failed()) {
    value.Warn("event_recorder is checked and not acted upon: history.md tells what mlalert records");
  }
}

}  // namespace

void ReadObservability(YamlMap& root) {
  if (auto tracing = root.TakeSet("tracing")) {
    ReadTracing(*tracing);
  }
  if (auto recorder = root.TakeSet("event_recorder")) {
    ReadEventRecorder(*recorder);
  }
}

}  // namespace mlalert
