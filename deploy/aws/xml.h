#pragma once
// A read-only view of an XML answer. Asking for what is not there gives an empty view or text, never an error: which
// elements an answer must have is said where it is read.
#include <memory>
#include <string>
#include <vector>

namespace rr::deploy {

class Xml {
 public:
  /// Of a document its root element; of anything that is none an empty view.
  static Xml parse(const std::string& text);

  bool empty() const { return node_ == nullptr; }
  std::string name() const;
  Xml at(const char* child) const;
  std::string text(const char* child) const;
  std::string text() const;
  /// The elements of a list: <member> in the query protocol, <item> in EC2's.
  std::vector<Xml> items(const char* list) const;
  std::vector<Xml> children() const;

 private:
  struct Document;
  Xml(std::shared_ptr<const Document> document, void* node) : document_(std::move(document)), node_(node) {}
  std::shared_ptr<const Document> document_;
  void* node_ = nullptr;  // pugi's handle
};

}  // namespace rr::deploy
