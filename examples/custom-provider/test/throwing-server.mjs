throw new TypeError('the module has a fault');
