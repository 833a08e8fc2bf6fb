"""One step of training or evaluation, and the two ways of finding its gradients."""
