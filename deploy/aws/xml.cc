#include "deploy/aws/xml.h"

#include <pugixml.hpp>

namespace rr::deploy {

struct Xml::Document {
  pugi::xml_document tree;
};

namespace {
pugi::xml_node node_of(void* handle) { return pugi::xml_node(static_cast<pugi::xml_node_struct*>(handle)); }
}  // namespace

Xml Xml::parse(const std::string& text) {
  auto document = std::make_shared<Document>();
  if (!document->tree.load_buffer(text.data(), text.size())) return Xml(nullptr, nullptr);
  void* root = document->tree.document_element().internal_object();
  return Xml(std::move(document), root);
}

std::string Xml::name() const { return empty() ? "" : node_of(node_).name(); }

Xml Xml::at(const char* child) const {
  if (empty()) return *this;
  return Xml(document_, node_of(node_).child(child).internal_object());
}

std::string Xml::text(const char* child) const { return at(child).text(); }

std::string Xml::text() const { return empty() ? "" : node_of(node_).child_value(); }

std::vector<Xml> Xml::items(const char* list) const { return at(list).children(); }

std::vector<Xml> Xml::children() const {
  std::vector<Xml> all;
  if (empty()) return all;
  for (pugi::xml_node child = node_of(node_).first_child(); child; child = child.next_sibling()) {
    if (child.type() == pugi::node_element) all.push_back(Xml(document_, child.internal_object()));
  }
  return all;
}

}  // namespace rr::deploy
