#pragma once
// A list whose links live inside its elements: no allocation, O(1) removal from the middle by the element alone.
#include <cstddef>

#include "lb/base/check.h"

namespace rr {

/// Base of what can be in one list; `Tag` keeps apart several lists that one object is in. An element that is destroyed
/// leaves its list.
template <class Tag>
class ListLink {
 public:
  ListLink() = default;
  ~ListLink() { unlink(); }
  ListLink(const ListLink&) = delete;
  ListLink& operator=(const ListLink&) = delete;

  bool linked() const { return next_ != nullptr; }
  void unlink() {
    if (next_ == nullptr) return;
    next_->previous_ = previous_;
    previous_->next_ = next_;
    next_ = previous_ = nullptr;
  }

 private:
  template <class T, class AnyTag>
  friend class IntrusiveList;
  ListLink* next_ = nullptr;
  ListLink* previous_ = nullptr;
};

/// Does not own its elements; must be empty when it is destroyed.
template <class T, class Tag>
class IntrusiveList {
 public:
  IntrusiveList() { root_.next_ = root_.previous_ = &root_; }
  ~IntrusiveList() {
    RR_CHECK(empty(), "a list is destroyed while something is in it");
    root_.next_ = root_.previous_ = nullptr;
  }
  IntrusiveList(const IntrusiveList&) = delete;
  IntrusiveList& operator=(const IntrusiveList&) = delete;

  bool empty() const { return root_.next_ == &root_; }
  T* front() const { return empty() ? nullptr : static_cast<T*>(root_.next_); }
  T* back() const { return empty() ? nullptr : static_cast<T*>(root_.previous_); }
  void push_front(T& element) { insert_after(root_, element); }
  void push_back(T& element) { insert_after(*root_.previous_, element); }

  /// Moves all elements of the other list, in their order, before those of this one.
  void splice_front(IntrusiveList& other) {
    if (other.empty()) return;
    Link* first = other.root_.next_;
    Link* last = other.root_.previous_;
    other.root_.next_ = other.root_.previous_ = &other.root_;
    last->next_ = root_.next_;
    root_.next_->previous_ = last;
    first->previous_ = &root_;
    root_.next_ = first;
  }

  /// The element after this one, or nullptr. Safe way to walk while the current one is removed: ask for the next first.
  T* next(const T& element) const {
    Link* link = static_cast<const Link&>(element).next_;
    return link == &root_ ? nullptr : static_cast<T*>(link);
  }

 private:
  using Link = ListLink<Tag>;

  void insert_after(Link& place, T& element) {
    Link& link = element;
    RR_CHECK(!link.linked(), "an element is in one list of a kind at a time");
    link.previous_ = &place;
    link.next_ = place.next_;
    place.next_->previous_ = &link;
    place.next_ = &link;
  }

  Link root_;
};

}  // namespace rr
