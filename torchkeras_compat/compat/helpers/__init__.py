"""The helper functions that modules of old Keras had inside, which scripts import; Keras 2.15 exports none of them."""
