INSERT INTO trial_values (trial_value_id,trial_id,objective,value) VALUES (1,1,0,0.5),(2,2,0,3.4028234663852886e+38),(3,3,0,-3.4028234663852886e+38),(4,4,0,1e300),(7,7,0,1e17),(8,8,0,-2.0);
