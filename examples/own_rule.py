"""A rule of one's own, written in the script, against backpropagation on the same network and the same batches.

Feedback alignment: errors come back through fixed random synapses `v` instead of the transpose of `w`.
"""

import jax

import blurc
from blurc import tasks

SPEC = """
import "rules/backprop.blur"

genome alignment(rate = 0.1) {
  state   act, err
  synapse w ~ normal(1 / sqrt(fan_in)), v ~ normal(1 / sqrt(fan_in))
  learn   eta = rate
  fn      phi = tanh

  sense    { act <- input }
  forward  { let z = incoming(w * pre.act);  act <- phi(z);  err <- phi'(z) }
  feedback { err <- err * (softmax(act) - target) }
  backward { err <- err * outgoing(v * post.err) }
  update   { w <- w - eta * batch_mean(pre.act * post.err) }
  readout  act
}

network small(hidden = 64) uses alignment(rate = 0.5) {
  input  pixels[8, 8]
  hidden h1[hidden]
  hidden h2[hidden]
  output class[10] { phi = linear }
  pixels -> h1
  h1 -> h2
  h2 -> class
}
"""

digits = tasks.load("digits")
batches = tasks.batches(digits, batch=64, steps=300, seed=0)
for rule in ("alignment", "backprop"):
    net = blurc.compile(SPEC, genome=rule, rate=0.5)
    genome = net.init_genome(jax.random.key(0))
    state, _ = net.train(genome, net.init(jax.random.key(1), genome), *batches)
    right = net.predict(genome, state, digits.x_test).argmax(-1) == digits.y_test.argmax(-1)
    print(f"{rule:10s} test accuracy {right.mean():.3f}")
