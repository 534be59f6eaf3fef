// What the world asks over HTTP: nodes whether they answer, instances and the front which version they are.
#include <algorithm>
#include <utility>

#include "sim/world/process_world_state.h"
#include "sim/world/version_answer.h"

namespace rr::sim {

namespace {

constexpr Duration kQuestionTimeout = std::chrono::seconds(2);

}  // namespace

void ProcessWorld::State::ask(const Endpoint& to, Duration timeout, ClientRequest request, OnAnswer on_answer) {
  HttpClient::Settings how;
  how.timeout = timeout;
  how.keep_alive = false;
  const auto slot = questions.insert(questions.end(), std::make_shared<HttpClient>(loop, to, how));
  (*slot)->send(std::move(request),
                [this, slot, call = std::move(on_answer)](const Result<ClientResponse, ClientFailure>& answer) {
                  loop.post([done = std::move(*slot)] {});  // destroyed when its own callback is over
                  questions.erase(slot);
                  call(answer);
                });
}

void ProcessWorld::State::act(Time, const CheckNode& check) {
  const auto node = nodes.find(check.node);
  if (node == nodes.end() || !node->second.running) return emit(NodeChecked{check.node, false});
  ClientRequest request;
  request.target = "/healthz";
  ask(Endpoint(UnixPath{files.socket(check.node)}), check.timeout, std::move(request),
      [this, name = check.node](const Result<ClientResponse, ClientFailure>& answer) {
        emit(NodeChecked{name, answer.ok() && answer->status == 200});
      });
}

void ProcessWorld::State::act(Time, const AskInstance& question) {
  const auto found = instances.find(question.instance.value);
  const auto where = found == instances.end() ? std::nullopt : reached_from_here(found->second);
  if (!where) return emit(VersionAnswered{question.instance, 0, {}, {}});
  ask_version(Endpoint(*where), question.instance);
}

void ProcessWorld::State::act(Time, const AskFront&) { ask_version(Endpoint(front_address()), std::nullopt); }

void ProcessWorld::State::ask_version(const Endpoint& where, std::optional<InstanceId> id) {
  ask(where, kQuestionTimeout, version_question(settings.version_from, settings.health_path),
      [this, id = std::move(id)](const Result<ClientResponse, ClientFailure>& answer) {
        emit(read_version(settings.version_from, id, answer));
      });
}

std::optional<Address> ProcessWorld::State::door_of(const InstanceProcess& instance, bool own_network) {
  if (!own_network) return instance.wire;
  if (!instance.door) return std::nullopt;
  return instance.door->address;
}

std::optional<Address> ProcessWorld::State::reached_from_here(const InstanceProcess& instance) const {
  return door_of(instance, ground->has_own_network());
}

Address ProcessWorld::State::front_address() const {
  Address address = front.address;
  const bool any = std::all_of(address.ip.begin(), address.ip.end(), [](std::uint8_t byte) { return byte == 0; });
  if (any && address.family == Address::Family::kV4) return Address::v4(127, 0, 0, 1, address.port);
  if (any) address.ip.back() = 1;
  return address;
}

}  // namespace rr::sim
