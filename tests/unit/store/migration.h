// A store made by hand, of version 0.
#pragma once

#include "tests/unit/store/fixture.h"

namespace keyscope::store {

inline constexpr char kVersion0[] = R"sql(
CREATE TABLE token(label, serial, epoch, root_handle, root_public, root_name, so_public, so_private,
                   user_public, user_private, login_required);
CREATE TABLE object(id INTEGER PRIMARY KEY, uid, class, private, body);
CREATE TABLE attribute(object_id REFERENCES object(id) ON DELETE CASCADE, type, tag);
CREATE TABLE key_material(object_id REFERENCES object(id) ON DELETE CASCADE, public_area, private_area, auth);
INSERT INTO token VALUES('old', 'serial', x'0e', 129, x'01', x'02', x'03', x'04', x'05', x'06', 1);
INSERT INTO object VALUES(5, x'00112233445566778899aabbccddeeff', 3, 1, x'b0d1');
INSERT INTO object VALUES(7, x'10112233445566778899aabbccddeeff', 2, 0, x'b0d2');
INSERT INTO object VALUES(9, 'no uid', 2, 0, x'b0d3');
INSERT INTO attribute VALUES(5, 258, x'aa');
INSERT INTO attribute VALUES(7, 258, x'aa');
INSERT INTO attribute VALUES(9, 258, x'aa');
INSERT INTO key_material VALUES(5, x'11', x'22', x'33');
)sql";

class MigrationTest : public StoreTest {
 protected:
  MigrationTest() {
    Sql(path_, kVersion0);
    std::filesystem::permissions(path_, std::filesystem::perms(0600));
  }

  static void ExpectUpgraded(ObjectStore& store) {
    TokenRow token = store.LoadToken().value();
    EXPECT_EQ(token.label, "old");
    EXPECT_EQ(token.epoch, Bytes{0x0e});
    EXPECT_EQ(token.user_pin->private_area, Bytes{6});
    EXPECT_EQ(store.Count(), 2);
    ObjectRow key = store.Load(5).value();
    EXPECT_EQ(key.scope, KeyScope::User);
    EXPECT_TRUE(key.is_private);
    EXPECT_EQ(key.body, (Bytes{0xb0, 0xd1}));
    EXPECT_EQ(key.material->auth, Bytes{0x33});
    Query by_tag{.with_private = true, .all_of = {{{258, {0xaa}}}}};
    EXPECT_EQ(store.Find(by_tag, 0, 10), (std::vector<int64_t>{5, 7}));
  }
};

}  // namespace keyscope::store
