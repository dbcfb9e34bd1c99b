#include "tpm/tss/symmetric.h"

#include "tpm/tss/root.h"
#include "tpm/tss/symmetric_commands.h"

namespace keyscope::tpm::tss {

SecretBytes HmacInParts(Device& device, const Root& root, const KeyRef& key, ByteView message) {
  const Channel channel = device.channel();
  const auto authorized = [&](Hold hold, auto command) {
    const Auth auth = device.Begin(nullptr, key.auth.view(), hold);
    auto result = command(auth);
    device.End(auth);
    return result;
  };
  const ByteView id = AsBytes(kHmacSequence);
  device.Forget(id);
  const Object object = Ready(device, root, key);
  const Object sequence = device.Loaded(id, KeyCache::Place::First, [&] {
    return authorized(Hold::Always,
                      [&](const Auth& auth) { return HmacStart(channel, object, auth); });
  });
  for (; message.size() > kMaxBuffer; message = message.subspan(kMaxBuffer))
    authorized(Hold::Always, [&](const Auth& auth) {
      SequenceUpdate(channel, sequence, auth, message.first(kMaxBuffer));
      return true;
    });
  SecretBytes code = authorized(Hold::InBurst, [&](const Auth& auth) {
    return SequenceComplete(channel, sequence, auth, message);
  });
  device.Flushed(id);
  return code;
}

}  // namespace keyscope::tpm::tss
